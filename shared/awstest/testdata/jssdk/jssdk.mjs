// Says who the default credential chain is. The SDK itself does not know
// HTTPS_PROXY.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { HttpsProxyAgent } from "https-proxy-agent";

const proxy = process.env.HTTPS_PROXY;
const requestHandler = proxy && { httpsAgent: new HttpsProxyAgent(proxy) };
try {
  const { Arn } = await new STSClient({ requestHandler }).send(new GetCallerIdentityCommand());
  console.log(Arn);
} catch (error) {
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
