package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// codeCommand is the name under which this program prints MFA codes.
const codeCommand = "mfa-code"

// printCode prints a code that has not been used, of the device named in args
// (jane's without), and waits for one where it must.
func printCode(args []string) error {
	base := os.Getenv("AWS_ENDPOINT_URL_STS")
	if base == "" {
		return errors.New("mfa-code: AWS_ENDPOINT_URL_STS is not set: not inside a sandbox")
	}
	of := serial
	if len(args) > 0 {
		of = args[0]
	}
	for waiting := false; ; waiting = true {
		code, used, err := askCode(base + "/_awstest/code?serial=" + url.QueryEscape(of))
		if !used {
			if err == nil {
				fmt.Println(code)
			}
			return err
		}
		if !waiting {
			fmt.Fprintln(os.Stderr, "mfa-code: this code and the next are used, waiting for a new one (up to 30 s)")
		}
		time.Sleep(time.Second)
	}
}

// askCode gets a code from the local AWS; used if there is none at present.
func askCode(url string) (code string, used bool, err error) {
	answer, err := http.Get(url)
	if err != nil {
		return "", false, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	text := strings.TrimSpace(string(body))
	switch answer.StatusCode {
	case http.StatusOK:
		return text, false, err
	case http.StatusConflict:
		return "", true, nil
	}
	return "", false, errors.New("mfa-code: " + cmp.Or(text, answer.Status))
}
