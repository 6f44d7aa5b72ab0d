package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"aws-mfa/shared/cli"
)

// allServices is the name that stands for a list of them.
const allServices = "list"

// A service is a page of the console that has names.
type service struct {
	name  string
	also  string // more names, with spaces between
	path  string // below the console's host
	scope scope
}

// A scope is for which regions a page of the console is.
type scope int

const (
	regional scope = iota // each region has its own
	global                // one for all, at the console's own host
	hosted                // one for all, at a host named for the service below the console's
)

// services are the pages with a name. Names are those of the console and of
// the AWS CLI's commands, and what people say for short.
var services = []service{
	// The user guide of the service opens its console there ("Open the …
	// console at https://console.aws.amazon.com/…").
	{"account", "my-account", "billing/home#/account", global},
	{"acm-pca", "privateca pca", "acm-pca/home", regional},
	{"amazonq", "q qdeveloper", "amazonq/home", regional},
	{"auditmanager", "", "auditmanager/home", regional},
	{"bedrock-agentcore", "agentcore", "bedrock-agentcore/home", regional},
	{"cloudfront", "cf cdn", "cloudfront/v4/home", global},
	{"costmanagement", "ce costexplorer cost", "costmanagement/home", global},
	{"datazone", "", "datazone/home", regional},
	{"directoryservice", "ds directory-services", "directoryservicev2/home", regional},
	{"drs", "elastic-disaster-recovery", "drs/home", regional},
	{"ecs", "fargate", "ecs/v2", regional},
	{"emr", "elasticmapreduce", "emr/home", regional},
	{"firewallmanager", "fms", "wafv2/fmsv2", global},
	{"fis", "fault-injection", "fis/home", regional},
	{"globalaccelerator", "ga", "globalaccelerator/home", global},
	{"health", "phd", "health/home", hosted},
	{"inspector", "inspector2", "inspector/v2/home", regional},
	{"lakeformation", "", "lakeformation/home", regional},
	{"location", "", "location/home", regional},
	{"memorydb", "", "memorydb/home", regional},
	{"mgn", "application-migration", "mgn/home", regional},
	{"networkmanager", "cloudwan", "networkmanager/home", global},
	{"opensearch", "aos es elasticsearch", "aos/home", regional},
	{"prometheus", "amp aps", "prometheus/home", regional},
	{"resiliencehub", "", "resiliencehub/v2/home", regional},
	{"resourcegroups", "rg", "resource-groups/home", regional},
	{"rolesanywhere", "", "rolesanywhere/home", regional},
	{"route53recovery", "arc", "route53recovery/home", global},
	{"scheduler", "", "scheduler/home", regional},
	{"securitylake", "", "securitylake/home", regional},
	{"servicequotas", "quotas limits", "servicequotas/home", regional},
	{"shield", "", "wafv2/shieldv2", global},
	{"tageditor", "tags", "resource-groups/tag-editor", regional},
	{"textract", "", "textract/home", regional},
	{"timestream", "", "timestream/home", regional},
	{"verifiedpermissions", "avp", "verifiedpermissions/home", regional},
	{"waf", "wafv2", "wafv2/homev2", regional},

	// Addresses that the console itself shows, as many public repositories
	// quote them.
	{"apprunner", "", "apprunner/home", regional},
	{"bedrock", "", "bedrock/home", regional},
	{"connect", "", "connect/v2/app/instances", regional},
	{"organizations", "orgs", "organizations/v2/home", global},
	{"sqs", "queues", "sqs/v3/home", regional},
	{"vpc", "", "vpcconsole/home", regional},

	// The map of https://github.com/common-fate/granted
	// (pkg/console/service_map.go).
	{"grafana", "amg", "grafana/home", regional},
	{"mwaa", "airflow", "mwaa/home", regional},
	{"parameterstore", "param parameters", "systems-manager/parameters", regional},
	{"ssm", "systemsmanager", "systems-manager/home", regional},

	// The list of https://github.com/rkoval/alfred-aws-console-services-workflow
	// (console-services.yml), which has been kept by the console's addresses
	// since 2016.
	{"accessanalyzer", "", "access-analyzer/home", regional},
	{"acm", "certificates certificatemanager", "acm/home", regional},
	{"amplify", "", "amplify/home", regional},
	{"apigateway", "apigw apigatewayv2", "apigateway/main/apis", regional},
	{"appconfig", "", "systems-manager/appconfig", regional},
	{"appmesh", "", "appmesh/meshes", regional},
	{"appstream", "appstream2", "appstream2/home", regional},
	{"appsync", "graphql", "appsync/home", regional},
	{"artifact", "", "artifact/home", global},
	{"athena", "", "athena/home", regional},
	{"autoscaling", "asg", "ec2autoscaling/home", regional},
	{"autoscaling-plans", "application-autoscaling", "awsautoscaling/home", regional},
	{"backup", "", "backup/home", regional},
	{"batch", "", "batch/home", regional},
	{"billing", "bills", "billing/home", global},
	{"braket", "", "braket/home", regional},
	{"budgets", "", "billing/home#/budgets", global},
	{"chatbot", "", "chatbot/home", global},
	{"cloud9", "c9", "cloud9/home", regional},
	{"cloudformation", "cfn stacks", "cloudformation/home", regional},
	{"cloudhsm", "hsm", "cloudhsm/home", regional},
	{"cloudmap", "servicediscovery", "cloudmap/home", regional},
	{"cloudsearch", "", "cloudsearch/home", regional},
	{"cloudshell", "shell", "cloudshell", regional},
	{"cloudtrail", "ct trail", "cloudtrail/home", regional},
	{"cloudwatch", "cw metrics", "cloudwatch/home", regional},
	{"codeartifact", "", "codesuite/codeartifact/domains", regional},
	{"codebuild", "", "codesuite/codebuild/projects", regional},
	{"codecommit", "", "codesuite/codecommit/repositories", regional},
	{"codeconnections", "codestar-connections", "codesuite/settings/connections", regional},
	{"codedeploy", "", "codesuite/codedeploy/deployments", regional},
	{"codeguru", "", "codeguru/dashboard", regional},
	{"codepipeline", "pipeline", "codesuite/codepipeline/pipelines", regional},
	{"cognito", "cognito-idp cognito-identity", "cognito/home", regional},
	{"comprehend", "", "comprehend/home", regional},
	{"computeoptimizer", "", "compute-optimizer/home", regional},
	{"config", "configservice", "config/home", regional},
	{"controltower", "", "controltower/home", regional},
	{"datasync", "", "datasync/home", regional},
	{"detective", "", "detective/home", regional},
	{"devicefarm", "", "devicefarm/home", global},
	{"directconnect", "dx", "directconnect/v2/home", global},
	{"dms", "database-migration", "dms/v2/home", regional},
	{"documentdb", "docdb", "docdb/home", regional},
	{"dynamodb", "ddb dynamo", "dynamodbv2/home", regional},
	{"ec2", "instances", "ec2/home", regional},
	{"ecr", "registry", "ecr/repositories", regional},
	{"efs", "", "efs/home", regional},
	{"eks", "k8s kubernetes", "eks/home", regional},
	{"elasticache", "redis memcached valkey", "elasticache/home", regional},
	{"elasticbeanstalk", "eb beanstalk", "elasticbeanstalk/home", regional},
	{"elastictranscoder", "", "elastictranscoder/home", regional},
	{"elb", "elbv2 alb nlb loadbalancers", "ec2/home#LoadBalancers:", regional},
	{"eventbridge", "events", "events/home", regional},
	{"firehose", "kinesis-firehose", "firehose/home", regional},
	{"frauddetector", "", "frauddetector/home", regional},
	{"fsx", "", "fsx/home", regional},
	{"gamelift", "", "gamelift/home", regional},
	{"glacier", "", "glacier/home", regional},
	{"glue", "", "glue/home", regional},
	{"gluestudio", "", "gluestudio/home", regional},
	{"groundstation", "", "groundstation/home", regional},
	{"guardduty", "gd", "guardduty/home", regional},
	{"iam", "", "iam/home", global},
	{"imagebuilder", "ec2imagebuilder", "imagebuilder/home", regional},
	{"iot", "iotcore", "iot/home", regional},
	{"iotanalytics", "", "iotanalytics/home", regional},
	{"iotevents", "", "iotevents/home", regional},
	{"iotsitewise", "", "iotsitewise/home", regional},
	{"kendra", "", "kendra/home", regional},
	{"keyspaces", "cassandra mcs", "keyspaces/home", regional},
	{"kinesis", "", "kinesis/home", regional},
	{"kinesisanalytics", "flink", "kinesisanalytics/home", regional},
	{"kinesisvideo", "", "kinesisvideo/home", regional},
	{"kms", "keys", "kms/home", regional},
	{"lambda", "l functions", "lambda/home", regional},
	{"launchwizard", "", "launchwizard/home", regional},
	{"lex", "lexv2", "lexv2/home", regional},
	{"licensemanager", "", "license-manager/home", regional},
	{"logs", "cloudwatchlogs cwl loggroups", "cloudwatch/home#logsV2:log-groups", regional},
	{"macie", "macie2", "macie/home", regional},
	{"managedblockchain", "blockchain", "managedblockchain/home", regional},
	{"marketplace", "", "marketplace/home", global},
	{"mediaconnect", "", "mediaconnect/home", regional},
	{"mediaconvert", "", "mediaconvert/home", regional},
	{"medialive", "", "medialive/home", regional},
	{"mediapackage", "", "mediapackage/home", regional},
	{"mediatailor", "", "mediatailor/home", regional},
	{"migrationhub", "mgh", "migrationhub/home", regional},
	{"mq", "amazonmq", "amazon-mq/home", regional},
	{"msk", "kafka", "msk/home", regional},
	{"neptune", "", "neptune/home", regional},
	{"networkfirewall", "nfw", "vpc/home#NetworkFirewalls:", regional},
	{"outposts", "", "outposts/home", regional},
	{"personalize", "", "personalize/home", regional},
	{"pinpoint", "", "pinpoint/home", regional},
	{"polly", "", "polly/home/SynthesizeSpeech", regional},
	{"ram", "", "ram/home", regional},
	{"rds", "aurora", "rds/home", regional},
	{"redshift", "", "redshiftv2/home", regional},
	{"rekognition", "", "rekognition/home", regional},
	{"resourceexplorer", "resource-explorer-2", "resource-explorer/home", regional},
	{"route53", "r53 dns", "route53/v2/home", global},
	{"route53domains", "domains", "route53/home#DomainListing:", global},
	{"s3", "buckets", "s3/home", regional},
	{"sagemaker", "", "sagemaker/home", regional},
	{"savingsplans", "", "cost-management/home#/savings-plans/overview", global},
	{"secretsmanager", "sm secrets", "secretsmanager/home", regional},
	{"securityhub", "sechub", "securityhub/home", regional},
	{"serverlessrepo", "sar", "serverlessrepo/home", regional},
	{"servicecatalog", "", "servicecatalog/home", regional},
	{"ses", "sesv2 email", "ses/home", regional},
	{"sessionmanager", "", "systems-manager/session-manager", regional},
	{"snowfamily", "snowball", "snowfamily/home", regional},
	{"sns", "topics", "sns/v3/home", regional},
	{"sso", "sso-admin identitycenter singlesignon", "singlesignon/home", regional},
	{"stepfunctions", "sfn states", "states/home", regional},
	{"storagegateway", "", "storagegateway/home", regional},
	{"support", "", "support/home", global},
	{"swf", "", "swf/home", regional},
	{"synthetics", "canaries", "cloudwatch/home#synthetics:canary/list", regional},
	{"transcribe", "", "transcribe/home", regional},
	{"transfer", "sftp", "transfer/home", regional},
	{"translate", "", "translate/home", regional},
	{"trustedadvisor", "ta", "trustedadvisor/home", global},
	{"wellarchitected", "", "wellarchitected/home", regional},
	{"workmail", "", "workmail/v2/home", regional},
	{"workspaces", "", "workspaces/home", regional},
	{"xray", "traces", "xray/home", regional},
}

// names are all of the service's names, the first one first.
func (s service) names() []string { return append([]string{s.name}, strings.Fields(s.also)...) }

// plainName is a name as it is compared: neither case nor hyphens count.
func plainName(name string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
}

// findService is the service of that name. The console has no page that says
// that there is no such service, so a name that is not known is misuse.
func findService(name string) (service, error) {
	wanted := plainName(name)
	var near []string
	for _, s := range services {
		names := s.names()
		if slices.ContainsFunc(names, func(n string) bool { return plainName(n) == wanted }) {
			return s, nil
		}
		if i := slices.IndexFunc(names, func(n string) bool { return resembles(plainName(n), wanted) }); i >= 0 {
			near = append(near, names[i])
		}
	}
	hints := []string{"all names: aws-mfa-console --service " + allServices, "any other page: --destination " + cli.ShellWord(sample)}
	if len(near) > 0 {
		longer := func(n string) int { return max(len(n)-len(wanted), len(wanted)-len(n)) }
		slices.SortStableFunc(near, func(a, b string) int { return cmp.Compare(longer(a), longer(b)) })
		hints = append([]string{"is it one of these? " + strings.Join(near[:min(maxNear, len(near))], ", ")}, hints...)
	}
	return service{}, cli.WithHints(cli.UsageError(fmt.Sprintf("--service: no service is known as %q", name)), hints...)
}

// maxNear is how many names a hint can hold.
const maxNear = 5

// scopeOf is the scope of the page with that path; of one that has no name, it
// is the one of those that begin with the same word.
func scopeOf(path string) scope {
	path = strings.TrimPrefix(path, "/")
	first, _, _ := strings.Cut(path, "/")
	found := map[scope]bool{}
	for _, s := range services {
		page, _, _ := strings.Cut(s.path, "#")
		if page == path {
			return s.scope
		}
		if begin, _, _ := strings.Cut(page, "/"); begin == first {
			found[s.scope] = true
		}
	}
	for scope := range found {
		if len(found) == 1 {
			return scope
		}
	}
	return regional
}

// resembles tells whether one name is a part of the other, or a typing mistake
// away: a letter wrong, missing or too many, or two swapped. Names of two
// letters all resemble each other.
func resembles(a, b string) bool {
	switch {
	case max(len(a), len(b)) < 3:
		return false
	case min(len(a), len(b)) >= 3 && (strings.Contains(a, b) || strings.Contains(b, a)):
		return true
	}
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}

// printServices prints the names and pages of all services.
func printServices(out io.Writer) error {
	sorted := slices.SortedFunc(slices.Values(services), func(a, b service) int { return strings.Compare(a.name, b.name) })
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tALSO\tPAGE")
	for _, s := range sorted {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.name, cmp.Or(strings.Join(strings.Fields(s.also), ", "), "-"), s.path)
	}
	return w.Flush()
}
