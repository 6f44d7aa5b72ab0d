//go:build unix

package awstest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// headless is the program of that name in the scripts:
//
//	headless URL
//
// goes to URL with a real Chromium without a window, whose profile is the
// script's, takes a picture of the page it ends on, $WORK/chromium.png, and
// leaves that page as "browser" does: its HTML, or why there is none.
func headless(args []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	page, err := chromium(ctx, args...)
	if err != nil {
		return failed(err)
	}
	path := os.Getenv("AWSTEST_PAGE")
	text := fmt.Sprintf("arguments: %s\n%s\n", strings.Join(args, " "), page)
	if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path)); err != nil {
		return failed(err)
	}
	return 0
}

var netError = regexp.MustCompile(`net::ERR_\w+`)

// chromium reaches AWS as all programs do, and this machine without the proxy.
// It ends when the page is there.
func chromium(ctx context.Context, args ...string) ([]byte, error) {
	trusted, err := keyHash(os.Getenv("AWS_CA_BUNDLE"))
	if err != nil {
		return nil, err
	}
	sockets, err := os.MkdirTemp("/tmp", "") // the path of one must be short (unix(7))
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(sockets)
	work := os.Getenv("WORK")
	cmd := exec.CommandContext(ctx, "chromium", append([]string{
		"--headless", "--dump-dom", "--screenshot=" + filepath.Join(work, "chromium.png"), "--window-size=1000,400",
		"--user-data-dir=" + filepath.Join(work, "chromium"), "--no-first-run",
		"--proxy-server=" + os.Getenv("HTTPS_PROXY"), "--ignore-certificate-errors-spki-list=" + trusted,
		"--disable-background-networking", "--disable-gpu",
		"--no-sandbox", "--disable-dev-shm-usage", // for root, in a container
	}, args...)...)
	cmd.Env = append(cmd.Environ(), "TMPDIR="+sockets)
	var page, noise bytes.Buffer
	cmd.Stdout, cmd.Stderr = &page, &noise
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("chromium: %w\n%s", errors.Join(err, ctx.Err()), noise.Bytes())
	}
	if page.Len() > 0 {
		return page.Bytes(), nil
	}
	if reason := netError.Find(noise.Bytes()); reason != nil {
		return reason, nil
	}
	return nil, fmt.Errorf("chromium came to no page\n%s", noise.Bytes())
}

// keyHash is how Chromium knows an authority whose certificates it takes,
// without a store of such: by the SHA-256 of the public key, in Base64.
func keyHash(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", fmt.Errorf("%s holds no certificate", path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

// cmdKeep takes a picture of one colour for a failure: it shows nothing.
func cmdKeep(_ *script, ts *testscript.TestScript, args []string) error {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return err
	}
	colours, all := map[any]bool{}, picture.Bounds()
	for y := all.Min.Y; y < all.Max.Y; y++ {
		for x := all.Min.X; x < all.Max.X; x++ {
			colours[picture.At(x, y)] = true
		}
	}
	if len(colours) < 2 {
		return fmt.Errorf("%s shows nothing", args[0])
	}
	dir := os.Getenv("AWSTEST_ARTEFACTS")
	if dir == "" {
		return nil
	}
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, filepath.Base(args[0])), data, 0o644))
}
