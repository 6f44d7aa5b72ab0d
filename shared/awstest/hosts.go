package awstest

import (
	"net"
	"strings"
)

// partition tells by which names a part of AWS is reached: what its regions
// begin with, the suffixes of its services (the second for dual-stack), and the
// suffix of its sign-in and console hosts. From the partitions and endpoint
// rulesets of sts, sso and signin in aws-sdk-go-v2, which know no consoles: those of
// the iso partitions are assumed to be beside their sign-in hosts.
type partition struct{ id, region, suffix, dualStack, web string }

// partitions has aws last, because every region that no other claims is its.
var partitions = []partition{
	{"aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "amazonaws.cn"},
	{"aws-us-gov", "us-gov-", "amazonaws.com", "api.aws", "amazonaws-us-gov.com"},
	{"aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov", "c2shome.ic.gov"},
	{"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud", "sc2shome.sgov.gov"},
	{"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "csphome.adc-e.uk"},
	{"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", "csphome.hci.ic.gov"},
	{"aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu", "amazonaws-eusc.eu"},
	{"aws", "", "amazonaws.com", "api.aws", "aws.amazon.com"},
}

// partitionOf finds the partition a region belongs to.
func partitionOf(region string) partition {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.region) {
			return p
		}
	}
	panic("unreachable: every region begins with the empty prefix of aws")
}

// site is one of AWS's hosts. The zero site is the loopback listener, which
// is all services of every region.
type site struct {
	name      string
	service   string // "sts", "portal" (of IAM Identity Center), "signin" or "console"
	partition partition
	region    string // "" if the name has none
}

// lookupSite finds out which service of which region host (with or without a
// port) names; ok is false for a host that is not AWS's.
func lookupSite(host string) (s site, ok bool) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(host)
	for _, p := range partitions {
		s = site{name: host, partition: p}
		if s.service, s.region, ok = p.webHost(host); ok {
			return s, true
		}
		if s.service, s.region, ok = p.apiHost(host); ok {
			return s, true
		}
	}
	return site{}, false
}

// webHost recognises signin.WEB, REGION.signin.WEB and the same for console.
func (p partition) webHost(host string) (service, region string, ok bool) {
	rest, ok := strings.CutSuffix(host, "."+p.web)
	if !ok {
		return "", "", false
	}
	if i := strings.LastIndexByte(rest, '.'); i >= 0 {
		region, rest = rest[:i], rest[i+1:]
	}
	switch rest {
	case "signin", "console":
		return rest, region, true
	case "signin-fips":
		return "signin", region, true
	}
	return "", "", false
}

// apiHost recognises sts.REGION.SUFFIX and portal.sso.REGION.SUFFIX, the FIPS
// and dual-stack forms of them, and the global sts.amazonaws.com, which is
// signed for us-east-1.
func (p partition) apiHost(host string) (service, region string, ok bool) {
	if p.id == "aws" && host == "sts.amazonaws.com" {
		return "sts", "us-east-1", true
	}
	service = "sts"
	if rest, portal := strings.CutPrefix(host, "portal."); portal {
		service, host = "portal", rest
	}
	name, rest, _ := strings.Cut(host, ".")
	if want := map[string]string{"sts": "sts", "portal": "sso"}[service]; name != want && name != want+"-fips" {
		return "", "", false
	}
	region, suffix, _ := strings.Cut(rest, ".")
	ok = suffix == p.suffix || suffix == p.dualStack
	return service, region, ok && partitionOf(region).id == p.id && strings.Count(region, "-") >= 2
}
