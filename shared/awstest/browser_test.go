//go:build unix

package awstest_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
)

// browser is the program of that name in the scripts:
//
//	browser URL...
//
// goes to each URL as a browser does, with redirects and cookies, and leaves
// the page it ends on, with its own arguments, for the command "page".
func browser(args []string) int {
	page, err := browse(args)
	if err != nil {
		page = err.Error()
	}
	path := os.Getenv("AWSTEST_PAGE")
	text := fmt.Sprintf("arguments: %s\n%s\n", strings.Join(args, " "), page)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return failed(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return failed(err)
	}
	return 0
}

func browse(addresses []string) (page string, err error) {
	pem, err := os.ReadFile(os.Getenv("AWS_CA_BUNDLE"))
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	client := http.Client{Jar: jar, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	for _, address := range addresses {
		if page, err = fetch(&client, address); err != nil {
			return "", err
		}
	}
	return page, nil
}

func fetch(client *http.Client, address string) (string, error) {
	resp, err := client.Get(address)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	at := *resp.Request.URL
	at.RawQuery = ""
	return fmt.Sprintf("%s %s\n%s", resp.Status, at.String(), body), err
}
