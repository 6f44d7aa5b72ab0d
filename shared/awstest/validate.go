package awstest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// constraint is what the API model of STS (service-2.json) demands of a
// parameter: a length, or, for a number, a value.
type constraint struct {
	name      string
	min, max  int
	pattern   string
	required  bool
	number    bool
	sensitive bool // messages do not repeat the value
}

var (
	roleARN          = constraint{name: "RoleArn", min: 20, max: 2048, required: true}
	roleSessionName  = constraint{name: "RoleSessionName", min: 2, max: 64, pattern: `[\w+=,.@-]*`, required: true}
	externalID       = constraint{name: "ExternalId", min: 2, max: 1224, pattern: `[\w+=,.@:\/-]*`}
	serialNumber     = constraint{name: "SerialNumber", min: 9, max: 256, pattern: `[\w+=/:,.@-]*`}
	tokenCode        = constraint{name: "TokenCode", min: 6, max: 6, pattern: `[\d]*`}
	webIdentityToken = constraint{name: "WebIdentityToken", min: 4, max: 20000, required: true, sensitive: true}
	providerID       = constraint{name: "ProviderId", min: 4, max: 2048}
)

func integer(name string, min, max int) constraint {
	return constraint{name: name, min: min, max: max, number: true}
}

// validate names everything that is wrong with the parameters in one error.
func validate(params url.Values, constraints ...constraint) *refusal {
	var wrong []string
	for _, c := range constraints {
		if !params.Has(c.name) {
			if c.required {
				wrong = append(wrong, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", c.member()))
			}
			continue
		}
		value := params.Get(c.name)
		if _, err := strconv.Atoi(value); c.number && err != nil {
			return refuse(http.StatusBadRequest, "MalformedInput", "Invalid Argument")
		}
		shown := fmt.Sprintf("'%s' ", value)
		if c.sensitive {
			shown = ""
		}
		for _, rule := range c.broken(value) {
			wrong = append(wrong, fmt.Sprintf("Value %sat '%s' failed to satisfy constraint: Member must %s", shown, c.member(), rule))
		}
	}
	switch len(wrong) {
	case 0:
		return nil
	case 1:
		return invalid("1 validation error detected: " + wrong[0])
	}
	return invalid(fmt.Sprintf("%d validation errors detected: %s", len(wrong), strings.Join(wrong, "; ")))
}

// broken lists the rules that value breaks.
func (c constraint) broken(value string) (rules []string) {
	size, what := utf8.RuneCountInString(value), "length"
	if c.number {
		size, _ = strconv.Atoi(value)
		what = "value"
	}
	if c.pattern != "" && !regexp.MustCompile(`^(?:`+c.pattern+`)$`).MatchString(value) {
		rules = append(rules, "satisfy regular expression pattern: "+c.pattern)
	}
	if size < c.min {
		rules = append(rules, fmt.Sprintf("have %s greater than or equal to %d", what, c.min))
	}
	if size > c.max {
		rules = append(rules, fmt.Sprintf("have %s less than or equal to %d", what, c.max))
	}
	return rules
}

// member is the parameter's name as AWS's messages write it: "tokenCode".
func (c constraint) member() string {
	first, size := utf8.DecodeRuneInString(c.name)
	return string(unicode.ToLower(first)) + c.name[size:]
}
