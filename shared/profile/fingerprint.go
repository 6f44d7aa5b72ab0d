package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// settling is how long a file stays suspect after a change: another one may
// leave the same times behind, which on FAT are of two seconds.
const settling = 3 * time.Second

// Fingerprint is another one whenever a profile that has a session may have
// another: it is of the two files, as far as can be told without reading them,
// and of the environment. It is "" where that cannot be told, as for a file that
// has just been changed.
func Fingerprint(env Environment) string {
	s := &Set{env: env}
	if Home(env) == "" {
		return ""
	}
	hash := sha256.New()
	for _, path := range []string{s.path("AWS_CONFIG_FILE", "config"), s.path("AWS_SHARED_CREDENTIALS_FILE", "credentials")} {
		state, ok := stateOf(path, time.Now())
		if !ok {
			return ""
		}
		fmt.Fprintf(hash, "%q %s\n", path, state)
	}
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"} {
		v := s.environment(variable)
		fmt.Fprintf(hash, "%t %q\n", v.Set, v.Text)
	}
	return hex.EncodeToString(hash.Sum(nil))
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
