"""Resolves profiles with the real botocore, as `aws --profile NAME` does.

Stand-ins take the place of all that is not on this machine: AWS STS, Identity
Center, `aws login`, the metadata services and other programs. Each gives an
access key that tells where it comes from; those of STS, the number of the call.

Reads an environment, as a line of JSON, and answers with one for all profiles
of its files. Before, it says what this botocore knows.
"""
import inspect
import json
import os
import sys

for name in list(os.environ):
    if name.startswith(("AWS_", "BOTO")):
        del os.environ[name]
os.environ["HOME"] = os.environ["USERPROFILE"] = os.path.abspath(sys.argv[1])

import botocore.configloader
import botocore.credentials as credentials
import botocore.session
import botocore.tokens
import botocore.utils

LATER = "2099-01-01T00:00:00Z"
calls = []  # of AWS STS, for the profile at hand


class Cache(dict):
    """Tells each call of AWS STS the name under which its answer is kept."""

    def __setitem__(self, name, answer):
        super().__setitem__(name, answer)
        key = answer["Credentials"]["AccessKeyId"]
        if key.startswith("sts:"):
            calls[int(key[4:])]["step"]["Cache"] = name


class STS:
    def __init__(self, aws_access_key_id=None, aws_secret_access_key=None, aws_session_token=None, config=None):
        self.keys = (aws_access_key_id, aws_secret_access_key, aws_session_token)

    def assume_role(self, **args):
        if args["RoleSessionName"].startswith("botocore-session-"):
            del args["RoleSessionName"]
        if ("SerialNumber" in args) != (args.pop("TokenCode", None) == "123456"):
            raise AssertionError("a code without a device, or the other way round")
        calls.append({"step": {k: str(v) for k, v in args.items()}, "keys": self.keys})
        return {"Credentials": {"AccessKeyId": f"sts:{len(calls) - 1}", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": LATER}}

    assume_role_with_web_identity = assume_role


class SSO:
    class exceptions:
        class UnauthorizedException(Exception):
            pass

    def __init__(self, config):
        self.region = config.region_name

    def get_role_credentials(self, roleName, accountId, accessToken):
        key = "sso:" + json.dumps([*json.loads(accessToken), self.region, accountId, roleName])
        return {"roleCredentials": {"accessKeyId": key, "secretAccessKey": "s", "sessionToken": "t", "expiration": 4070908800000}}


class Program:
    returncode = 0

    def __init__(self, words, **_):
        if not words or not words[0]:
            raise FileNotFoundError(words)
        self.words = words

    def communicate(self):
        answer = {"Version": 1, "AccessKeyId": "process:" + json.dumps(self.words), "SecretAccessKey": "s"}
        return json.dumps(answer).encode(), b""


class Session(botocore.session.Session):
    def create_client(self, service, config=None, **_):
        return SSO(config)


def machine(key, **more):
    return {"access_key": key, "secret_key": "s", "token": "t", "expiry_time": LATER, **more}


credentials._get_client_creator = lambda session, region_name: lambda service, **args: STS(**args)
credentials.ProcessProvider.__init__.__defaults__ = (Program,)
credentials.FileWebIdentityTokenLoader = lambda path: lambda: path
for fetcher in (credentials.InstanceMetadataFetcher, credentials.ContainerMetadataFetcher):
    fetcher.__init__ = lambda self, *_, **__: None  # which makes an HTTP client
credentials.InstanceMetadataFetcher.retrieve_iam_role_credentials = lambda self: machine("machine:Ec2InstanceMetadata", role_name="r")
credentials.ContainerMetadataFetcher.retrieve_full_uri = lambda self, uri, headers=None: {
    "AccessKeyId": "machine:EcsContainer", "SecretAccessKey": "s", "Token": "t", "Expiration": LATER}
botocore.utils.SSOTokenLoader.__call__ = lambda self, url, session_name=None: {
    "accessToken": json.dumps([url, session_name or ""]), "expiresAt": LATER}
knows_login = hasattr(credentials, "LoginProvider")
if knows_login:
    credentials.EC = object()
    credentials.LoginCredentialFetcher.load_cached_credentials = lambda self: machine("login:" + self._session_name, account_id=None)

if "profile_name" not in inspect.signature(botocore.tokens.SSOTokenProvider.__init__).parameters:
    # botocore before 1.31 took the token of the profile that was asked for,
    # not of the one that is its source.
    class Named:
        def __init__(self, session, name):
            self.full_config, self.get_config_variable = session.full_config, lambda _: name

    create = credentials.ProfileProviderBuilder._create_sso_provider

    def create_named(self, name):
        provider = create(self, name)
        provider._token_provider._session = Named(self._session, name)
        return provider

    credentials.ProfileProviderBuilder._create_sso_provider = create_named

# Each file is read several times for each profile.
parse, parsed = botocore.configloader.raw_config_parse, {}


def parse_once(path, *args):
    if path not in parsed:
        try:
            parsed[path] = parse(path, *args)
        except Exception as e:
            parsed[path] = e
    if isinstance(parsed[path], Exception):
        raise parsed[path]
    return {name: dict(section) for name, section in parsed[path].items()}


botocore.configloader.raw_config_parse = parse_once


def source(key, secret, token):
    """The steps to the keys that were used, the first call of AWS STS last."""
    if not isinstance(secret, str) or not isinstance(token, (str, type(None))):
        raise TypeError("nothing can be signed with a block of settings")
    kind, _, text = key.partition(":")
    if kind == "sts":
        call = calls[int(text)]
        return [call["step"]] + (source(*call["keys"]) if call["keys"][0] else [])
    if kind in ("process", "sso"):
        return [{kind: "\0".join(json.loads(text))}]
    if kind in ("machine", "login"):
        return [{kind: text}]
    return [{"id": key, "secret": secret, "token": token or ""}]


def mfa_session(profile):
    """What the profile says of an MFA session, which botocore knows nothing of."""
    step = {}
    if "mfa_serial" in profile:
        step["SerialNumber"] = str(profile["mfa_serial"])
    try:
        step["DurationSeconds"] = str(int(profile["duration_seconds"]))
    except (KeyError, ValueError, TypeError):
        pass
    return step


def resolve(session, name):
    calls.clear()
    session.set_config_variable("profile", name)
    try:
        resolver = credentials.create_credential_resolver(session, cache=Cache())
        resolver.get_provider("assume-role")._prompter = lambda _: "123456"
        found = resolver.load_credentials()
        keys = found.get_frozen_credentials()
        return {"method": found.method, "steps": source(keys.access_key, keys.secret_key, keys.token),
                "mfa": mfa_session(session.full_config["profiles"][name])}
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"}


print(json.dumps({"login": knows_login, "version": botocore.__version__}), flush=True)
for line in sys.stdin.buffer:
    given = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/", **json.loads(line)}
    os.environ.update(given)
    parsed.clear()
    session = Session(include_builtin_handlers=False)  # those are for clients
    try:
        names = session.available_profiles
        answer = {name: resolve(session, name) for name in names}
    except Exception as e:
        names, answer = None, {"": {"error": f"{type(e).__name__}: {e}"}}
    print(json.dumps({"names": names, "profiles": answer}), flush=True)
    for name in given:
        del os.environ[name]
