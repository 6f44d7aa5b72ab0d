package main

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../../docs/aws-mfa-status.schema.json"

// everything is a row in which all is known.
func everything() *row {
	r := rows()[0]
	r.Reason, r.CachedARN, r.SSORoleName, r.SSOSession, r.StartURL = "why", r.ARN, "Admin", "corp", "https://example.awsapps.com/start"
	r.File, r.SameAs, r.ClockOffset = "/home/jane/.aws/cli/cache/x.json", "other", -90
	return r
}

func valid(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	output, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(output)
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestTheJSONIsWhatTheSchemaPromises(t *testing.T) {
	schema := compiled(t)
	token := row{SSOSession: "corp", StartURL: "https://example.awsapps.com/start", Source: "sso"}
	token.ends(now.Add(8*time.Hour), now)
	odd := row{Profile: "\x1b[31m\u202e\"\\\n日本", State: signedOut}
	refused := rows()[4]
	refused.Reason = "no"
	for _, of := range [][]*row{nil, slices.Delete(rows(), 4, 5), {everything()}, {&token, &odd, refused}} {
		text := written(t, "json", of, style{})
		if err := valid(t, schema, text); err != nil {
			t.Errorf("got %v\n%s", err, text)
		}
	}
}

func TestTheSchemaRefusesWhatIsNotPromised(t *testing.T) {
	schema := compiled(t)
	for name, text := range map[string]string{
		"no array":                    `{}`,
		"no state":                    `[{"profile": "p"}]`,
		"nobody":                      `[{"state": "unknown"}]`,
		"another state":               `[{"profile": "p", "state": "fine"}]`,
		"another property":            `[{"profile": "p", "state": "unknown", "secretAccessKey": "x"}]`,
		"local time":                  `[{"profile": "p", "state": "active", "source": "sso", "expiration": "2026-11-20T14:29:30+01:00", "secondsLeft": 1000}]`,
		"no time":                     `[{"profile": "p", "state": "active", "source": "sso", "expiration": "todayZ", "secondsLeft": 1000}]`,
		"an end without what is left": `[{"profile": "p", "state": "active", "source": "sso", "expiration": "2026-11-20T14:29:30Z"}]`,
		"plenty left":                 `[{"profile": "p", "state": "expiring", "source": "sso", "expiration": "2026-11-20T14:29:30Z", "secondsLeft": 900}]`,
		"rejected without a reason":   `[{"profile": "p", "state": "rejected"}]`,
		"not current":                 `[{"profile": "p", "state": "unknown", "current": false}]`,
	} {
		if valid(t, schema, text) == nil {
			t.Errorf("%s: got no error for %s", name, text)
		}
	}
}

// What is left out when it is unknown must be there when all is known, under
// the names of the schema.
func TestTheSchemaHasTheFieldsOfTheRowsAndNoOther(t *testing.T) {
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Items struct {
			Properties map[string]struct{ Description string }
		}
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal([]byte(written(t, "json", []*row{everything()}, style{})), &got); err != nil {
		t.Fatal(err)
	}
	for name, property := range schema.Items.Properties {
		if _, ok := got[0][name]; !ok {
			t.Errorf("%s: is in no row", name)
		}
		if property.Description == "" {
			t.Errorf("%s: is not described", name)
		}
	}
	if len(got[0]) != len(schema.Items.Properties) || len(got[0]) != fieldsOf(reflect.TypeFor[row]()) {
		t.Errorf("got %d fields in %v, the schema has %d", len(got[0]), got[0], len(schema.Items.Properties))
	}
}

func fieldsOf(t reflect.Type) (n int) {
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			n++
		}
	}
	return n
}
