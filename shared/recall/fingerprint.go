package recall

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// settling is how long a file stays suspect after a change: another one may
// leave the same times behind, which on FAT are of two seconds.
const settling = 3 * time.Second

// Fingerprint is another one whenever a profile that has a session may have
// another: it is of the two files, as far as can be told without reading them,
// and of the environment. It is "" where that cannot be told, as for a file that
// has just been changed, or whose path is to be expanded.
func Fingerprint(env Environment) string {
	hash := sha256.New()
	for variable, name := range files {
		path, ok := pathOf(env, variable, name)
		if !ok {
			return ""
		}
		state, ok := stateOf(path, time.Now())
		if !ok {
			return ""
		}
		fmt.Fprintf(hash, "%q %s\n", path, state)
	}
	for _, variable := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_REGION", "AWS_DEFAULT_REGION"} {
		value, set := env(variable)
		fmt.Fprintf(hash, "%t %q\n", set, value)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// files yields the variables that name AWS's files, and the names that these
// have in ~/.aws.
func files(yield func(variable, name string) bool) {
	_ = yield("AWS_CONFIG_FILE", "config") && yield("AWS_SHARED_CREDENTIALS_FILE", "credentials")
}

func pathOf(env Environment, variable, name string) (path string, ok bool) {
	path, set := env(variable)
	if set {
		return path, !strings.ContainsAny(path, "$%~")
	}
	home, ok := Home(env)
	return filepath.Join(home, ".aws", name), ok
}

// stateOf tells the states of a file apart, as git's index does. Source:
// https://git-scm.com/docs/racy-git
func stateOf(path string, now time.Time) (state string, ok bool) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "absent", true
	case err != nil:
		return "", false
	}
	changed, identity := changeOf(info)
	state = fmt.Sprintf("%d %d %d %s", info.Size(), info.ModTime().UnixNano(), changed.UnixNano(), identity)
	return state, now.Sub(info.ModTime()).Abs() > settling && now.Sub(changed).Abs() > settling
}
