package session

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sso"
)

func TestThePortalIsWhereTheSDKFindsIt(t *testing.T) {
	for _, region := range []string{"us-east-1", "eu-central-1", "ap-southeast-7", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "eusc-de-east-1", "xx-new-1"} {
		endpoint, err := sso.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), sso.EndpointParameters{Region: &region})
		if err != nil {
			t.Fatal(err)
		}
		got, err := portal{region: region}.host(t.Context())
		if want := endpoint.URI.Host; err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", region, got, err, want)
		}
	}
}
