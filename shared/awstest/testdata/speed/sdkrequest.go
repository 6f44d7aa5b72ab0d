// Sdkrequest makes one request, AssumeRole with a code, by the SDK.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	pem, err := os.ReadFile(os.Getenv("AWS_CA_BUNDLE"))
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	keys := credentials.NewStaticCredentialsProvider(os.Args[2], os.Args[3], "")
	out, err := sts.New(sts.Options{Region: "eu-west-1", HTTPClient: client, Credentials: keys}).AssumeRole(context.Background(), &sts.AssumeRoleInput{
		RoleArn: &os.Args[4], RoleSessionName: aws.String("jane"), SerialNumber: &os.Args[5], TokenCode: &os.Args[6],
	})
	must(err)
	os.Stdout.WriteString(*out.Credentials.AccessKeyId + "\n")
}

func must(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
