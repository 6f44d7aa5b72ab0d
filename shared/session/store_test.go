package session

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"
)

func TestASnapshotFindsWhatTheStoreFinds(t *testing.T) {
	home := t.TempDir()
	store := Store{Roles: cache.In(home), Memory: cache.MemoryIn(home)}
	serial := profile.Value{Text: "arn:aws:iam::123456789012:mfa/jane", Set: true}
	logins := map[string]*profile.Login{
		"role":       {RoleARN: profile.Value{Text: "arn:aws:iam::123456789012:role/A", Set: true}, SerialNumber: serial},
		"other role": {RoleARN: profile.Value{Text: "arn:aws:iam::123456789012:role/A", Set: true}, ExternalID: profile.Value{Set: true}},
	}
	for _, name := range []string{"role"} {
		dir, entry := store.place(logins[name])
		e := cache.Entry{AccessKeyID: "ASIA-" + name, SecretAccessKey: "s", SessionToken: "t", Expiration: time.Now().Add(time.Hour).Truncate(time.Second)}
		if name == "role" {
			e.AssumedRoleARN = "arn:aws:sts::123456789012:assumed-role/A/jane"
		}
		if err := dir.Write(entry, e); err != nil {
			t.Fatal(err)
		}
	}
	snapshot := store.Snapshot()
	if got := snapshot.Len(); got != 1 {
		t.Errorf("got %d sessions, want 1", got)
	}
	for name, l := range logins {
		want, wantErr := store.Find(l)
		got, err := snapshot.Find(l)
		if got.AccessKeyID != want.AccessKeyID || !got.Expiration.Equal(want.Expiration) || errors.Is(wantErr, fs.ErrNotExist) != (err == fs.ErrNotExist) {
			t.Errorf("%s: got %+v, %v, want %v, %v", name, got, err, want, wantErr)
		}
	}
}
