package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// testdata/cli-cache.json: what AWS CLI v1 1.45.11 and v2 2.36.7 named their
// entries, and wrote into them, for real profiles against a local STS.
type cliCase struct {
	ID            string
	Args          []map[string]any `json:"assume_role_args"`
	CanonicalJSON []string         `json:"canonical_json"`
	ExpectedFiles []string         `json:"expected_files"`
	WrittenBy     map[string]struct {
		Content string
	} `json:"written_by"`
}

func vectors[T any](t testing.TB, file string) (cases []T) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &struct{ Cases *[]T }{&cases}); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s has no cases", file)
	}
	return cases
}

func keyOf(t *testing.T, args map[string]any) (k Key) {
	t.Helper()
	for name, value := range args {
		switch name {
		case "RoleArn":
			k.RoleARN = value.(string)
		case "RoleSessionName":
			k.RoleSessionName = value.(string)
		case "ExternalId":
			k.ExternalID = new(value.(string))
		case "SerialNumber":
			k.SerialNumber = new(value.(string))
		case "DurationSeconds":
			k.DurationSeconds = strconv.Itoa(int(value.(float64)))
		default:
			t.Fatalf("argument %s is no part of Key", name)
		}
	}
	return k
}

func TestNamesAreTheAWSCLIs(t *testing.T) {
	for _, c := range vectors[cliCase](t, "cli-cache.json") {
		for i, args := range c.Args {
			k := keyOf(t, args)
			if got, want := string(k.appendJSON(nil)), c.CanonicalJSON[i]; got != want {
				t.Errorf("%s: hashed text\n got %s\nwant %s", c.ID, got, want)
			}
			if got, want := k.Name()+".json", c.ExpectedFiles[i]; got != want {
				t.Errorf("%s: got %s, want %s", c.ID, got, want)
			}
		}
	}
}

func TestEmptyTextIsNotAbsentText(t *testing.T) {
	k := Key{RoleARN: "r", ExternalID: new(""), SerialNumber: new(""), DurationSeconds: "-99999999999999999999"}
	want := `{"DurationSeconds": -99999999999999999999, "ExternalId": "", "RoleArn": "r", "SerialNumber": ""}`
	if got := string(k.appendJSON(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Both CLIs' files are read, and written again they are the same bytes but for
// the headers of the answer, which we do not keep, and v2's "+00:00".
func TestEntriesOfTheAWSCLIAreReadAndWrittenTheSame(t *testing.T) {
	headers := regexp.MustCompile(`"HTTPHeaders": \{[^}]*\}`)
	utc := regexp.MustCompile(`(\.\d+?)0*\+00:00"`)
	written := 0
	for _, c := range vectors[cliCase](t, "cli-cache.json") {
		for version, w := range c.WrittenBy {
			written++
			d := Dir(t.TempDir())
			put(t, d.Path("x"), w.Content)
			e, err := d.Read("x")
			if err != nil {
				t.Errorf("%s by %s: %v", c.ID, version, err)
				continue
			}
			if err := d.Write("x", e); err != nil {
				t.Fatal(err)
			}
			want := headers.ReplaceAllString(w.Content, `"HTTPHeaders": {}`)
			want = utc.ReplaceAllString(want, `${1}Z"`)
			if got := get(t, d.Path("x")); got != want {
				t.Errorf("%s by %s:\n got %s\nwant %s", c.ID, version, got, want)
			}
		}
	}
	if written == 0 {
		t.Error("no case shows what the CLI wrote")
	}
}

// testdata/cli-cache-read.json: what both CLIs did with an entry of that
// content. The runs were at about 23:38 (the first content expires one hour
// after them, and 905 seconds were under 900 once Python had started).
func TestEntriesAreTakenAsTheAWSCLITakesThem(t *testing.T) {
	now := time.Date(2026, 11, 20, 23, 38, 5, 0, time.UTC)
	for _, c := range vectors[struct{ Case, Content, V2 string }](t, "cli-cache-read.json") {
		want := "crash"
		switch {
		case strings.HasPrefix(c.V2, "USED"):
			want = "used"
		case strings.Contains(c.V2, "Enter MFA code"):
			want = "prompt"
		}
		d := Dir(t.TempDir())
		put(t, d.Path("x"), c.Content)
		e, err := d.Read("x")
		var got string
		switch broken := new(BrokenError); {
		case errors.As(err, &broken):
			got = "crash"
		case err != nil:
			t.Fatal(err)
		case e.Good(now):
			got = "used"
		default:
			got = "prompt"
		}
		if got != want {
			t.Errorf("%s: got %s (%v), want %s", c.Case, got, err, want)
		}
	}
}

// session is a whole entry; its texts hold everything that Python escapes.
func session() Entry {
	return Entry{
		AccessKeyID:      "ASIAEXAMPLE",
		SecretAccessKey:  "wJalr/secret+key",
		SessionToken:     "token\"\\\n\r\t\b\f\x00\x7f<&>é日😀/==",
		Expiration:       time.Date(2026, 11, 21, 0, 26, 19, 0, time.UTC),
		AccountID:        "123456789012",
		AssumedRoleID:    "AROAEXAMPLE:jane",
		AssumedRoleARN:   "arn:aws:sts::123456789012:assumed-role/Admin/jane",
		PackedPolicySize: new(int32(6)),
		RequestID:        "5JVu1lNN",
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	withoutRole := session()
	withoutRole.AssumedRoleID, withoutRole.AssumedRoleARN, withoutRole.PackedPolicySize = "", "", nil
	for _, want := range []Entry{session(), withoutRole} {
		d := In(t.TempDir())
		if err := d.Write("x", want); err != nil {
			t.Fatal(err)
		}
		got, err := d.Read("x")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, %#v, want %#v", err, got, want)
		}
	}
}

func TestWrittenTextIsPythons(t *testing.T) {
	e := session()
	e.AccountID = "" // to be had from the ARN
	e.SessionToken = "t\"\\\n\r\t\b\f\x00\x7f<&>é日😀/"
	d := Dir(t.TempDir())
	if err := d.Write("x", e); err != nil {
		t.Fatal(err)
	}
	want := `{"Credentials": {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "wJalr/secret+key", ` +
		`"SessionToken": "t\"\\\n\r\t\b\f\u0000\u007f<&>\u00e9\u65e5\ud83d\ude00/", ` +
		`"Expiration": "2026-11-21T00:26:19Z", "AccountId": "123456789012"}, ` +
		`"AssumedRoleUser": {"AssumedRoleId": "AROAEXAMPLE:jane", "Arn": "arn:aws:sts::123456789012:assumed-role/Admin/jane"}, ` +
		`"PackedPolicySize": 6, ` +
		`"ResponseMetadata": {"RequestId": "5JVu1lNN", "HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}`
	if got := get(t, d.Path("x")); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestPythonAgrees(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("python3 is not on PATH; testdata pins the same rules")
	}
	random := rand.New(rand.NewPCG(1, 2))
	kinds := []func() rune{
		func() rune { return rune(random.IntN(0x80)) },
		func() rune { return rune(random.IntN(0xD800)) },
		func() rune { return 0xE000 + rune(random.IntN(0x102000)) },
		func() rune { return rune("\"\\/<>&\x7f\u2028\uffff"[random.IntN(8)]) },
	}
	words := func() string {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteRune(kinds[random.IntN(len(kinds))]())
		}
		return b.String()
	}
	var args []map[string]any
	var keys []Key
	for range 500 {
		k, a := Key{RoleARN: words(), RoleSessionName: words()}, map[string]any{}
		a["RoleArn"] = k.RoleARN
		if k.RoleSessionName != "" {
			a["RoleSessionName"] = k.RoleSessionName
		}
		if random.IntN(2) == 0 {
			k.ExternalID = new(words())
			a["ExternalId"] = *k.ExternalID
		}
		if random.IntN(2) == 0 {
			k.SerialNumber = new(words())
			a["SerialNumber"] = *k.SerialNumber
		}
		if random.IntN(2) == 0 {
			n := random.Int64() - random.Int64()
			k.DurationSeconds = strconv.FormatInt(n, 10)
			a["DurationSeconds"] = n
		}
		keys, args = append(keys, k), append(args, a)
	}
	input, _ := json.Marshal(args)
	cmd := exec.Command(python, "-c", `
import hashlib, json, sys
for args in json.loads(sys.stdin.buffer.read()):
    print(hashlib.sha1(json.dumps(args, sort_keys=True).encode()).hexdigest())`)
	cmd.Stdin = strings.NewReader(string(input))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(out))
	if len(names) != len(keys) {
		t.Fatalf("python3 printed %d names, want %d", len(names), len(keys))
	}
	for i, k := range keys {
		if got := k.Name(); got != names[i] {
			t.Errorf("%s: got %s, want %s", string(k.appendJSON(nil)), got, names[i])
		}
	}

	d := Dir(t.TempDir())
	if err := d.Write("x", session()); err != nil {
		t.Fatal(err)
	}
	again, err := exec.Command(python, "-c", `
import json, sys
print(json.dumps(json.load(open(sys.argv[1]))), end="")`, d.Path("x")).Output()
	if want := get(t, d.Path("x")); err != nil || string(again) != want {
		t.Errorf("python3 writes the entry as\n%s (%v), want\n%s", again, err, want)
	}
}

func TestBrokenEntriesSayWhy(t *testing.T) {
	entry := func(expiration string) string {
		return `{"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": ` + expiration + `}}`
	}
	for content, want := range map[string]string{
		"":                                  "empty file",
		" \n":                               "not JSON",
		entry(`"2026-11-21T00:37:50Z"`)[9:]: "not JSON",
		"\ufeff{}":                          "starts with a byte order mark",
		"{\"x\": \"\xff\"}":                 "not JSON",
		"[]":                                "no Credentials",
		"null":                              "no Credentials",
		`{"credentials": {}}`:               "no Credentials",
		`{"Credentials": null}`:             "no Credentials",
		`{"Credentials": {}}`:               "no AccessKeyId",
		`{"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "s", "sessiontoken": "t"}}`: "no SessionToken",
		`{"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "s\ud800"}}`:                "SecretAccessKey is not text",
		entry(`"2026-11-21T00:37:50+24:00"`):                                                 "no time in Expiration",
		entry(`"2026-11-21T00:37:50-24:59"`):                                                 "no time in Expiration",
		`{"Credentials": {"AccessKeyId": "a", "SecretAccessKey": null}}`:                     "SecretAccessKey is not text",
		`{"Credentials": {"AccessKeyId": ""}}`:                                               "no AccessKeyId",
		entry(`1795221470`):                                                                  "Expiration is not text",
		entry(`"tomorrow"`):                                                                  "no time in Expiration",
		entry(`"2026-11-21T00:37:50"`):                                                       "time in Expiration has no zone",
		entry(`"2026-11-21T00:37:50.5"`):                                                     "time in Expiration has no zone",
		entry(`"0001-01-01T00:00:00+02:00"`):                                                 "time in Expiration is out of range",
		entry(`"9999-12-31T23:59:59-02:00"`):                                                 "time in Expiration is out of range",
		`{"x": "` + strings.Repeat("x", 1<<20) + `"}`:                                        "larger than 1 MiB",
	} {
		synctest.Test(t, func(t *testing.T) { // the pauses take no time
			d := Dir(t.TempDir())
			put(t, d.Path("x"), content)
			_, err := d.Read("x")
			if broken := new(BrokenError); !errors.As(err, &broken) || broken.Reason != want || broken.Path != d.Path("x") {
				t.Errorf("%.80q: got %v, want %s", content, err, want)
			}
		})
	}
}

func TestEntryBeingWrittenIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := Dir(t.TempDir())
		want := session()
		whole := string(want.encode())
		put(t, d.Path("x"), "")
		go func() {
			time.Sleep(15 * time.Millisecond)
			put(t, d.Path("x"), whole[:100])
			time.Sleep(15 * time.Millisecond)
			put(t, d.Path("x"), whole)
		}()
		if got, err := d.Read("x"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
		synctest.Wait()
	})
}

func TestOptionalPartsMayBeAnything(t *testing.T) {
	d := Dir(t.TempDir())
	put(t, d.Path("x"), `{"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t",
		"Expiration": "2026-11-21T02:37:50+02:00", "AccountId": 1}, "AssumedRoleUser": {"Arn": "arn:aws:sts::42:x/y:z"},
		"PackedPolicySize": "6", "ResponseMetadata": [], "ProviderType": "sso"}`)
	want := Entry{AccessKeyID: "a", SecretAccessKey: "s", SessionToken: "t", AccountID: "42",
		AssumedRoleARN: "arn:aws:sts::42:x/y:z", Expiration: time.Date(2026, 11, 21, 0, 37, 50, 0, time.UTC)}
	if got, err := d.Read("x"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestGoodWhileAQuarterOfAnHourIsLeft(t *testing.T) {
	e := session()
	for left, want := range map[time.Duration]bool{
		Margin: true, Margin - 1: false, time.Hour: true, 0: false, -time.Hour: false,
	} {
		now := e.Expiration.Add(-left)
		if got := e.Left(now); got != left {
			t.Errorf("got %v left, want %v", got, left)
		}
		if got := e.Good(now); got != want {
			t.Errorf("%v left: got %v, want %v", left, got, want)
		}
	}
}

func TestPrintingShowsNoSecret(t *testing.T) {
	e := session()
	e.SecretAccessKey, e.SessionToken = "SECRET", "SECRET"
	asJSON, _ := json.Marshal(e)
	for _, got := range []string{
		fmt.Sprintf("%v %+v %#v %s %q %d %x", e, e, e, e, e, e, e),
		fmt.Sprintf("%v %+v %#v %s", &e, &e, &e, []Entry{e}),
		e.String(),
		string(asJSON),
	} {
		if strings.Contains(got, "SECRET") || strings.Contains(got, "534543524554") {
			t.Errorf("got %s", got)
		}
	}
}

func TestNoEntryIsErrNotExist(t *testing.T) {
	d := In(t.TempDir())
	if _, err := d.Read("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
	if err := d.Remove("x"); err != nil {
		t.Errorf("removing none: %v", err)
	}
}

func TestOnlyTheNamedEntryIsRemoved(t *testing.T) {
	d := Dir(t.TempDir())
	put(t, d.Path("x"), "")
	put(t, filepath.Join(string(d), "session.db"), "")
	if err := d.Remove("x"); err != nil {
		t.Fatal(err)
	}
	if got, want := files(t, d), []string{"session.db"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBrokenSessionIsNotWritten(t *testing.T) {
	d := Dir(t.TempDir())
	for _, e := range []Entry{{}, {AccessKeyID: "a", SecretAccessKey: "s", Expiration: session().Expiration}} {
		if err := d.Write("x", e); !errors.As(err, new(*BrokenError)) {
			t.Errorf("got %v, want a BrokenError", err)
		}
	}
	if got := files(t, d); len(got) > 0 {
		t.Errorf("got %q, want no file", got)
	}
}

func TestFailedWriteLeavesEverythingAsItWas(t *testing.T) {
	d := Dir(t.TempDir())
	if err := os.Mkdir(d.Path("x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Write("x", session()); !errors.As(err, new(*BrokenError)) {
		t.Errorf("over a directory: got %v, want a BrokenError", err)
	}
	if err := d.Remove("x"); !errors.As(err, new(*BrokenError)) {
		t.Errorf("removing a directory: got %v, want a BrokenError", err)
	}
	if err := d.Write(strings.Repeat("long", 100), session()); err == nil {
		t.Error("no error for a name that the rename refuses")
	}
	if got, want := files(t, d), []string{"x.json"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSymbolicLinkStays(t *testing.T) {
	home := t.TempDir()
	d, elsewhere := In(home), filepath.Join(home, "elsewhere")
	for _, dir := range []string{string(d), elsewhere} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	links := map[string]string{ // the last is dangling, over two links
		d.Path("absolute"):                    filepath.Join(elsewhere, "1.json"),
		d.Path("relative"):                    "../../../elsewhere/2.json",
		d.Path("dangling"):                    "../../../elsewhere/hop",
		filepath.Join(elsewhere, "hop"):       "3.json",
		filepath.Join(string(d), "loop.json"): "loop.json",
	}
	for link, to := range links {
		symlink(t, to, link)
	}
	put(t, filepath.Join(elsewhere, "1.json"), "old")
	put(t, filepath.Join(elsewhere, "2.json"), "old")
	for name, file := range map[string]string{"absolute": "1.json", "relative": "2.json", "dangling": "3.json"} {
		if err := d.Write(name, session()); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, want := get(t, filepath.Join(elsewhere, file)), string(session().encode()); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		if err := d.Remove(name); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(d.Path(name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the session is still there after Remove (%v)", name, err)
		}
	}
	if err := d.Write("loop", session()); err == nil {
		t.Error("no error for a loop of links")
	}
	for _, link := range slices.Sorted(maps.Keys(links)) {
		if got, err := os.Readlink(link); err != nil || got != links[link] {
			t.Errorf("%s leads to %s (%v), want %s", link, got, err, links[link])
		}
	}
	if got, want := files(t, Dir(elsewhere)), []string{"hop"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCheckLeavesAnEmptyDirectory(t *testing.T) {
	d := In(t.TempDir())
	if err := d.Check("x"); err != nil {
		t.Fatal(err)
	}
	if got := files(t, d); len(got) > 0 {
		t.Errorf("got %q, want no file", got)
	}
	blocked := filepath.Join(t.TempDir(), ".aws")
	put(t, blocked, "")
	if err := In(filepath.Dir(blocked)).Check("x"); err == nil {
		t.Error("no error where a file is in the way")
	}
}

func put(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Error(err)
	}
}

// age makes files older than any write takes.
func age(t testing.TB, paths ...string) {
	t.Helper()
	long := time.Now().Add(-time.Hour)
	for _, path := range paths {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Error(err)
		}
	}
}

func get(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

func files(t testing.TB, d Dir) (names []string) {
	t.Helper()
	list, err := os.ReadDir(string(d))
	if err != nil {
		t.Error(err)
	}
	for _, file := range list {
		names = append(names, file.Name())
	}
	return names
}

// symlink makes a symbolic link, where that can be made: on Windows it takes a
// privilege, and Wine 8 makes what it does not find again.
func symlink(t *testing.T, to, link string) {
	t.Helper()
	err := os.Symlink(to, link)
	if got, reading := os.Readlink(link); err == nil && got != to {
		err = fmt.Errorf("leads to %q, %v", got, reading)
	}
	switch {
	case err != nil && runtime.GOOS == "windows":
		t.Skip("no symbolic links: ", err)
	case err != nil:
		t.Fatal(err)
	}
}

// On Windows too a name may have brackets, which mean more to filepath.Glob.
func TestADirectoryMayHaveAnyName(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "jane [work] {1} ~$%")
	d, m := In(home), MemoryIn(home)
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Write("x", session()); err != nil {
		t.Fatal(err)
	}
	if got := d.Names(); !slices.Equal(got, []string{"x"}) {
		t.Errorf("got %q", got)
	}
	left := d.Path("x") + ours + "1.tmp"
	put(t, left, "secret")
	if err := os.Chtimes(left, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove("x"); err != nil {
		t.Error(err)
	}
	if got := files(t, d); len(got) != 0 {
		t.Errorf("got files %q", got)
	}
	if err := m.KeepCopy(t.Context(), sha1Hex("x"), Copy{File: "f", Profile: "p"}, ""); err != nil || len(m.AllCopies()) != 1 {
		t.Errorf("got %v, %v", m.AllCopies(), err)
	}
}
