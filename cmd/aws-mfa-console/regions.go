package main

import "aws-mfa/shared/cli"

// regions are those that completion offers for --region, which takes any: a
// new one is no error. Source: endpoints.json of botocore 1.43.11, without the
// partitions that are not open to the public.
var regions = []cli.Suggestion{
	{Text: "af-south-1", About: "Africa (Cape Town)"},
	{Text: "ap-east-1", About: "Asia Pacific (Hong Kong)"},
	{Text: "ap-east-2", About: "Asia Pacific (Taipei)"},
	{Text: "ap-northeast-1", About: "Asia Pacific (Tokyo)"},
	{Text: "ap-northeast-2", About: "Asia Pacific (Seoul)"},
	{Text: "ap-northeast-3", About: "Asia Pacific (Osaka)"},
	{Text: "ap-south-1", About: "Asia Pacific (Mumbai)"},
	{Text: "ap-south-2", About: "Asia Pacific (Hyderabad)"},
	{Text: "ap-southeast-1", About: "Asia Pacific (Singapore)"},
	{Text: "ap-southeast-2", About: "Asia Pacific (Sydney)"},
	{Text: "ap-southeast-3", About: "Asia Pacific (Jakarta)"},
	{Text: "ap-southeast-4", About: "Asia Pacific (Melbourne)"},
	{Text: "ap-southeast-5", About: "Asia Pacific (Malaysia)"},
	{Text: "ap-southeast-6", About: "Asia Pacific (New Zealand)"},
	{Text: "ap-southeast-7", About: "Asia Pacific (Thailand)"},
	{Text: "ca-central-1", About: "Canada (Central)"},
	{Text: "ca-west-1", About: "Canada West (Calgary)"},
	{Text: "eu-central-1", About: "Europe (Frankfurt)"},
	{Text: "eu-central-2", About: "Europe (Zurich)"},
	{Text: "eu-north-1", About: "Europe (Stockholm)"},
	{Text: "eu-south-1", About: "Europe (Milan)"},
	{Text: "eu-south-2", About: "Europe (Spain)"},
	{Text: "eu-west-1", About: "Europe (Ireland)"},
	{Text: "eu-west-2", About: "Europe (London)"},
	{Text: "eu-west-3", About: "Europe (Paris)"},
	{Text: "il-central-1", About: "Israel (Tel Aviv)"},
	{Text: "me-central-1", About: "Middle East (UAE)"},
	{Text: "me-south-1", About: "Middle East (Bahrain)"},
	{Text: "mx-central-1", About: "Mexico (Central)"},
	{Text: "sa-east-1", About: "South America (Sao Paulo)"},
	{Text: "us-east-1", About: "US East (N. Virginia)"},
	{Text: "us-east-2", About: "US East (Ohio)"},
	{Text: "us-west-1", About: "US West (N. California)"},
	{Text: "us-west-2", About: "US West (Oregon)"},
	{Text: "cn-north-1", About: "China (Beijing)"},
	{Text: "cn-northwest-1", About: "China (Ningxia)"},
	{Text: "us-gov-east-1", About: "AWS GovCloud (US-East)"},
	{Text: "us-gov-west-1", About: "AWS GovCloud (US-West)"},
	{Text: "eusc-de-east-1", About: "AWS European Sovereign Cloud (Germany)"},
}
