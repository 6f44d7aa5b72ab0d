#!/bin/sh
# A tour of the three programs inside the local AWS: sandbox -bin DIR sh demo.sh
# It asks nothing, and ends with status 1 at the first step that goes wrong.
set -u

say() { printf '\n# %s\n' "$*"; }
die() { printf 'demo: error: %s\n' "$*" >&2; exit 1; }

# run STATUSES COMMAND...: shows the command, runs it, and wants one of the statuses.
run() {
    wanted=$1; shift
    printf '$ %s\n' "$*"
    "$@" </dev/null
    status=$?
    [ "$status" -eq 0 ] || printf '(exit status %s)\n' "$status"
    case " $wanted " in *" $status "*) ;; *) die "exit status $status, wanted $wanted" ;; esac
}

has() { command -v "$1" >/dev/null 2>&1; }

# ask_console URL: one visit by curl, which reads the URL from its stdin, so
# that it is not among anybody's arguments. Cookies live for one visit.
ask_console() {
    printf 'url = "%s"\n' "$1" |
        curl --silent --show-error --location --cookie '' --cacert "$AWS_CA_BUNDLE" --write-out '\nHTTP %{http_code}\n' --config -
}

has mfa-code || die "not inside the sandbox"
cache=$HOME/.aws/cli/cache

say "No role is signed in yet."
run "0 3" aws-mfa-status --all

say "Sign in, with a code of the MFA device."
code=$(mfa-code) || die "no code"
run 0 aws-mfa-login mfa -t "$code"

say "That left a file where the AWS CLI looks for one (shown without its secrets)."
run 0 ls -l "$cache"
for file in "$cache"/*.json; do
    [ -f "$file" ] || die "no session in $cache"
    printf '$ cat %s\n' "$file"
    sed -E 's/("(SecretAccessKey|SessionToken)": *")[^"]*/\1.../g' "$file"
    echo
done
session=$(ls "$cache"/*.json)
before=$(cksum <"$session")

if has aws; then
    say "So the AWS CLI asks for no code."
    run 0 aws sts get-caller-identity --profile mfa
fi

say "SDKs do not look there. This profile hands them the session (README: One login, every tool)."
run 0 aws-mfa-login mfa --process-profile mfa-sdk
tail -n 4 "$HOME/.aws/config"
if has aws; then
    run 0 aws sts get-caller-identity --profile mfa-sdk
fi

say "Or one command has it in its environment."
run 0 aws-mfa-login mfa -- sh -c 'echo "$AWS_ACCESS_KEY_ID, until $AWS_CREDENTIAL_EXPIRATION"'

say "Who am I, and for how long?"
run 0 aws-mfa-status

say "The web console, as this role: a URL that works once, for 15 minutes."
printf '$ %s\n' "aws-mfa-console mfa --print"
url=$(aws-mfa-console mfa --print </dev/null) || die "no URL"
printf '%s\n' "$url" | sed -E 's/(SigninToken=.{8})[^&]*/\1.../'
if has curl; then
    say "A browser that goes there is in; one that comes second is not."
    page=$(ask_console "$url") || die "curl: exit status $?"
    printf '%s\n' "$page" | grep -o 'Signed in as [^<]*' || die "the URL did not sign in: $page"
    page=$(ask_console "$url") || die "curl: exit status $?"
    case $page in *"Invalid or expired sign-in token"*"HTTP 400") ;; *) die "the URL worked twice: $page" ;; esac
    echo "second use: HTTP 400, Invalid or expired sign-in token"
fi

say "A wrong code is refused, and says what to look at."
next=$(mfa-code) || die "no code"
wrong=000000
for right in "$code" "$next"; do
    [ "$wrong" != "$right" ] || wrong=000001
done
run 1 aws-mfa-login mfa --force -t "$wrong"

say "The session is still there: signing in again keeps it, without a question."
run 0 aws-mfa-login mfa
[ "$before" = "$(cksum <"$session")" ] || die "the session was replaced"

say "Another role, whose profile names a program that prints codes: nothing is asked."
grep mfa_process "$HOME/.aws/config"
run 0 aws-mfa-login auto

printf '\nThat is all. The temporary home %s is removed now.\n' "$HOME"
