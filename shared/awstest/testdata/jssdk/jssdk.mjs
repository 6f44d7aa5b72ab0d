// Says who the default credential chain is, or with the argument "ini" the
// profile, whose errors the chain keeps to itself. The SDK itself does not know
// HTTPS_PROXY.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromIni } from "@aws-sdk/credential-provider-ini";
import { HttpsProxyAgent } from "https-proxy-agent";

const proxy = process.env.HTTPS_PROXY;
const requestHandler = proxy && { httpsAgent: new HttpsProxyAgent(proxy) };
const credentials = process.argv[2] === "ini" ? fromIni({ clientConfig: { requestHandler } }) : undefined;
try {
  const { Arn } = await new STSClient({ requestHandler, credentials }).send(new GetCallerIdentityCommand());
  console.log(Arn);
} catch (error) {
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
