#!/usr/bin/env bash
# Collects the evidence for one AgentCore runtime with the AWS CLI, for accounts where launchpath
# itself may not run. It only reads. The result is a bundle directory:
#
#     bash collect.sh DIRECTORY     then:  launchpath diagnose --bundle DIRECTORY
#
# Needed: bash, the AWS CLI, sed, grep. With curl and jq the image's configuration is read as well.
# Profile, Region and endpoint are the AWS CLI's: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.
# Values of environment variables, access keys and what looks like a secret in logs are masked
# before anything is written to the bundle.

set -u -o pipefail

out=${1:-launchpath-bundle}
endpoint=@ENDPOINT@
saw=@SAW@
region=@REGION@
region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}}
if [ -z "$region" ]; then echo "no Region: set AWS_REGION" >&2; exit 253; fi
case $region in
  cn-*) partition=aws-cn home=cn-north-1 ;;
  us-gov-*) partition=aws-us-gov home=us-gov-west-1 ;;
  *) partition=aws home=us-east-1 ;;
esac

mkdir -p "$out/calls" || exit 255
tmp=$(mktemp -d) || exit 255
trap 'rm -rf "$tmp"' EXIT
: >"$tmp/calls"
number=0
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
started=$(now)

# --- masks -----------------------------------------------------------------------------------------
keys='s/A(KI|SI)A[A-Z0-9]{16}/***/g'
environment='/"environmentVariables": \{$/,/^ *\},?$/ s/^( *"[^"]*": )".*"(,?)$/\1"***"\2/
s/^( *"[^"]*[Ss]ecret": )".*"(,?)$/\1"***"\2/'
names='[Pp]assword|PASSWORD|[Pp]asswd|[Ss]ecret|SECRET|[Tt]oken|TOKEN|[Aa]pi_?[Kk]ey|API_?KEY|[Aa]ccess_[Kk]ey|ACCESS_KEY|[Ss]ignature'
words="s/(($names)(\\\\+\"|'|\")?[=:] ?(\\\\+\"|'|\")?)[^ \"'\\\\,;&)}]{4,}/\\1***/g
s/([Bb]earer )[^ \"'\\\\,;]{4,}/\\1***/g"
# A created or updated runtime's parameters may hold its environment: the event's body is dropped.
bodies='s/^( *"CloudTrailEvent": )".*"(,?)$/\1"{}"\2/'

mask() { # operation
  case $1 in
    GetAgentRuntime) sed -E "$environment" ;;
    ListResourceRecordSets) sed -E 's/^( *"Value": ")\\".*"(,?)$/\1***"\2/' ;;
    FilterLogEvents) sed -E -e "$keys" -e "$words" ;;
    LookupAgentRuntimeEvents) sed -E -e "$keys" -e "$bodies" ;;
    LookupEvents) sed -E -e "$keys" -e 's/(\\"sessionToken\\": ?\\")[^"\\]*/\1***/g' ;;
    *) cat ;;
  esac
}

# --- one call --------------------------------------------------------------------------------------
quote() { tr -d '\000-\037' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g'; }

record() { # service operation region request at outcome rest
  printf '%s    {"id": "c%d", "service": "%s", "operation": "%s", "region": "%s", "request": %s, "at": "%s", "outcome": "%s", %s}' \
    "$([ "$number" -gt 1 ] && printf ',\n')" "$number" "$1" "$2" "$3" "$4" "$5" "$6" "$7" >>"$tmp/calls"
}

refused() { # service operation region request at: classifies what the AWS CLI said
  local line code message outcome
  line=$(grep -v '^$' "$tmp/error" | tail -n 1)
  code=$(sed -nE 's/.*An error occurred \(([^)]*)\) when calling.*/\1/p' "$tmp/error" | tail -n 1)
  message=$(printf '%s' "$line" | sed -E -e "$keys" -e 's/^.*operation[^:]*: //' | quote)
  case $code in
    *NotFound*|*NoSuch*|404) outcome=not_found ;;
    *AccessDenied*|*Unauthorized*|*NotAuthorized*|*Forbidden*|*AuthFailure*|403) outcome=denied ;;
    *Throttl*|*TooManyRequests*|RequestLimitExceeded|SlowDown) outcome=throttled ;;
    *) outcome=error ;;
  esac
  record "$1" "$2" "$3" "$4" "$5" "$outcome" "\"error\": {\"code\": \"$(printf '%s' "${code:-ConnectionFailed}" | quote)\", \"message\": \"$message\"}"
}

# Makes a call, all pages included, and leaves the answer's file in $file (empty when refused).
# The command is the operation's name in the AWS CLI's spelling; $where overrides the Region.
call() { # service operation request [AWS CLI option...]
  local service=$1 operation=$2 request=$3 at command masks where=${where:-$region}
  shift 3
  number=$((number + 1))
  file="calls/c$number.json"
  at=$(now)
  command=$(printf '%s' "$operation" | sed -E -e 's/([a-z])([A-Z])/\1-\2/g' -e 's/By(VPC)/by-\1/' | tr '[:upper:]' '[:lower:]')
  masks=${masking:-$operation}
  echo "$service $operation" >&2
  if aws "$service" "$command" --region "$where" --output json --cli-input-json "$request" "$@" 2>"$tmp/error" \
    | mask "$masks" >"$out/$file"; then
    if [ ! -s "$out/$file" ]; then echo '{}' >"$out/$file"; fi
    record "${service%api}" "$operation" "$where" "$request" "$at" ok "\"file\": \"$file\""
    file="$out/$file"
  else
    rm -f "$out/$file"
    file=""
    refused "${service%api}" "$operation" "$where" "$request" "$at"
  fi
}

# --- reading answers -------------------------------------------------------------------------------
ids() { # prefix file...: the distinct ids such as subnet-0123
  local prefix=$1
  shift
  [ $# -gt 0 ] && grep -hoE "\"$prefix-[0-9a-f]+\"" "$@" 2>/dev/null | tr -d '"' | sort -u
}
member() { # name file: the values of a string member
  [ -n "${2:-}" ] && sed -nE "s/^ *\"$1\": \"(.*)\",?\$/\\1/p" "$2"
}
list() { # the lines of standard input as a JSON list
  sed -e 's/.*/"&"/' | paste -s -d , - | sed -e 's/^/[/' -e 's/$/]/'
}
filter() { # name, values on standard input: a request
  printf '{"Filters": [{"Name": "%s", "Values": %s}]}' "$1" "$(list)"
}
seconds() { date -u -d "$1" +%s 2>/dev/null || date -u -j -f %Y-%m-%dT%H:%M:%S "${1%%[.Z+]*}" +%s; }
moment() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$1" +%Y-%m-%dT%H:%M:%SZ; }

# --- the account -----------------------------------------------------------------------------------
call sts GetCallerIdentity '{}'
account=$(member Account "$file")
call bedrock-agentcore-control ListAgentRuntimes '{}'
listed=$file
call ec2 DescribeAvailabilityZones '{}'
call ec2 DescribeManagedPrefixLists '{}'
call iam GetRole '{"RoleName": "AWSServiceRoleForBedrockAgentCoreNetwork"}'

# --- runtimes --------------------------------------------------------------------------------------
subject=""
runtimes=()
for given in @RUNTIMES@; do
  id=$given
  case $given in
    *-*) ;;
    *) id=$(member agentRuntimeId "$listed" | grep -E "^$given-[A-Za-z0-9]+\$" | head -n 1) ;;
  esac
  subject=${subject:-${id:-$given}}
  if [ -n "$id" ]; then runtimes+=("$id"); fi
done

all=() # the files in which ids of the network are looked for
for id in "${runtimes[@]+"${runtimes[@]}"}"; do
  call bedrock-agentcore-control GetAgentRuntime "{\"agentRuntimeId\": \"$id\"}"
  runtime=$file
  call bedrock-agentcore-control ListAgentRuntimeEndpoints "{\"agentRuntimeId\": \"$id\"}"
  call bedrock-agentcore-control ListAgentRuntimeVersions "{\"agentRuntimeId\": \"$id\"}"
  call logs DescribeLogGroups "{\"logGroupNamePrefix\": \"/aws/bedrock-agentcore/runtimes/$id\"}"
  member logGroupName "$file" >"$tmp/groups"
  while read -r group; do
    call logs DescribeLogStreams "{\"logGroupName\": \"$group\", \"orderBy\": \"LastEventTime\", \"descending\": true}" --max-items 100
    call logs FilterLogEvents "{\"logGroupName\": \"$group\"}" --max-items 1000
  done <"$tmp/groups"
  if [ -z "$runtime" ]; then continue; fi
  all+=("$runtime")

  # The execution role and all that it may do.
  role=$(member roleArn "$runtime" | sed 's,.*/,,')
  call iam GetRole "{\"RoleName\": \"$role\"}"
  member PermissionsBoundaryArn "$file" >"$tmp/policies"
  call iam ListRolePolicies "{\"RoleName\": \"$role\"}"
  if [ -n "$file" ]; then
    sed -n '/"PolicyNames": \[/,/\]/p' "$file" | sed -nE 's/^ *"([^"]*)",?$/\1/p' >"$tmp/inline"
    while read -r name; do
      call iam GetRolePolicy "{\"RoleName\": \"$role\", \"PolicyName\": \"$name\"}"
    done <"$tmp/inline"
  fi
  call iam ListAttachedRolePolicies "{\"RoleName\": \"$role\"}"
  member PolicyArn "$file" >>"$tmp/policies"
  sort -u "$tmp/policies" >"$tmp/distinct"
  while read -r arn; do
    call iam GetPolicy "{\"PolicyArn\": \"$arn\"}"
    version=$(member DefaultVersionId "$file")
    if [ -n "$version" ]; then call iam GetPolicyVersion "{\"PolicyArn\": \"$arn\", \"VersionId\": \"$version\"}"; fi
  done <"$tmp/distinct"

  # The image, when it is in a private ECR repository; else the code archive.
  uri=$(member containerUri "$runtime")
  case $uri in
    [0-9]*.dkr.ecr.*)
      registry=${uri%%.*}
      where=$(printf '%s' "$uri" | cut -d. -f4)
      path=${uri#*/}
      repository=${path%%[:@]*}
      case $path in
        *@*) image="{\"imageDigest\": \"${path#*@}\"}" ;;
        *:*) image="{\"imageTag\": \"${path#*:}\"}" ;;
        *) image='{"imageTag": "latest"}' ;;
      esac
      one="\"registryId\": \"$registry\", \"repositoryName\": \"$repository\""
      types='"acceptedMediaTypes": ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json"]'
      call ecr DescribeRepositories "{\"registryId\": \"$registry\", \"repositoryNames\": [\"$repository\"]}"
      call ecr GetRepositoryPolicy "{$one}"
      call ecr DescribeImages "{$one, \"imageIds\": [$image]}"
      call ecr BatchGetImage "{$one, \"imageIds\": [$image], $types}"
      if [ -n "$file" ] && command -v jq >/dev/null; then
        manifest='.images[0].imageManifest | fromjson'
        child=$(jq -r "$manifest | [.manifests[]? | select(.platform.os == \"linux\")] | (map(select(.platform.architecture == \"arm64\")) + .)[0].digest // empty" "$file")
        if [ -n "$child" ]; then call ecr BatchGetImage "{$one, \"imageIds\": [{\"imageDigest\": \"$child\"}], $types}"; fi
        if [ -n "$file" ]; then config=$(jq -r "$manifest | .config.digest // empty" "$file"); else config=""; fi
        if [ -n "$config" ] && command -v curl >/dev/null; then
          url=$(aws ecr get-download-url-for-layer --region "$where" --registry-id "$registry" --repository-name "$repository" \
            --layer-digest "$config" --query downloadUrl --output text 2>/dev/null)
          # The address is a secret and is written nowhere; the build history may quote the environment.
          if [ -n "$url" ] && curl -fsS --max-filesize 4194304 "$url" >"$tmp/config"; then
            number=$((number + 1))
            jq 'del(.history) | if .config.Env then .config.Env |= map(if test("^(PATH|LANG|HOME|DOCKER_CONTAINER|PORT|PYTHON[A-Z0-9_]*|NODE[A-Z0-9_]*)=") then . else sub("=.*"; "=***") end) else . end | del(.container_config)' \
              "$tmp/config" >"$out/calls/c$number.json"
            record launchpath GetImageConfig "$where" "{$one, \"digest\": \"$config\"}" "$(now)" ok "\"file\": \"calls/c$number.json\""
          fi
        fi
      fi
      unset where
      ;;
    "")
      bucket=$(member bucket "$runtime")
      key=$(member prefix "$runtime")
      if [ -n "$bucket" ]; then call s3api HeadObject "{\"Bucket\": \"$bucket\", \"Key\": \"$key\"}"; fi
      ;;
  esac

  # What the launch left behind.
  created=$(seconds "$(member createdAt "$runtime")")
  updated=$(seconds "$(member lastUpdatedAt "$runtime")")
  if [ -n "$created" ]; then
    from=$(moment $((created - 300)))
    to=$((${updated:-$created} + 86400))
    if [ "$to" -gt "$(date +%s)" ]; then to=$(date +%s); fi
    to=$(moment "$to")
    for event in CreateAgentRuntime UpdateAgentRuntime CreateNetworkInterface AssumeRole BatchGetImage GetDownloadUrlForLayer CreateServiceLinkedRole; do
      lookup="{\"LookupAttributes\": [{\"AttributeKey\": \"EventName\", \"AttributeValue\": \"$event\"}], \"StartTime\": \"$from\", \"EndTime\": \"$to\"}"
      case $event in
        *AgentRuntime) masking=LookupAgentRuntimeEvents call cloudtrail LookupEvents "$lookup" --max-items 250 ;;
        CreateServiceLinkedRole) where=$home call cloudtrail LookupEvents "$lookup" --max-items 250 ;;
        *) call cloudtrail LookupEvents "$lookup" --max-items 250 ;;
      esac
    done
  fi
  arn=$(member agentRuntimeArn "$runtime" | head -n 1)
  name=$(member agentRuntimeName "$runtime" | head -n 1)
  queries=""
  m=0
  for metric in Invocations SessionCount UserErrors SystemErrors Throttles Errors CPUUsed-vCPUHours MemoryUsed-GBHours; do
    first='{"Name": "Operation", "Value": "InvokeAgentRuntime"}'
    case $metric in *Used-*) first='{"Name": "Service", "Value": "AgentCore.Runtime"}' ;; esac
    queries="$queries${queries:+, }{\"Id\": \"m$m\", \"MetricStat\": {\"Metric\": {\"Namespace\": \"AWS/Bedrock-AgentCore\", \"MetricName\": \"$metric\", \"Dimensions\": [$first, {\"Name\": \"Name\", \"Value\": \"$name::$endpoint\"}, {\"Name\": \"Resource\", \"Value\": \"$arn\"}]}, \"Period\": 300, \"Stat\": \"Sum\"}}"
    m=$((m + 1))
  done
  call cloudwatch GetMetricData "{\"MetricDataQueries\": [$queries], \"StartTime\": \"$(moment $(($(date +%s) - 86400)))\", \"EndTime\": \"$(now)\"}"
done

# --- the network, in VPC mode ----------------------------------------------------------------------
if [ ${#all[@]} -gt 0 ] && [ -n "$(ids subnet "${all[@]}")" ]; then
  call ec2 DescribeSubnets "{\"SubnetIds\": $(ids subnet "${all[@]}" | list)}"
  found=("$file")
  call ec2 DescribeSecurityGroups "{\"GroupIds\": $(ids sg "${all[@]}" | list)}"
  if [ -n "$file" ]; then found+=("$file"); fi
  call ec2 DescribeNetworkInterfaces "$(ids subnet "${all[@]}" | filter subnet-id)"
  interfaces=$file
  if [ -n "$file" ]; then found+=("$file"); fi
  vpcs=$(for f in "${found[@]}"; do member VpcId "$f"; done | sort -u)
  if [ -n "$vpcs" ]; then
    call ec2 DescribeVpcs "{\"VpcIds\": $(printf '%s\n' "$vpcs" | list)}"
    options=$(if [ -n "$file" ]; then ids dopt "$file"; fi)
    if [ -n "$options" ]; then call ec2 DescribeDhcpOptions "{\"DhcpOptionsIds\": $(printf '%s\n' "$options" | list)}"; fi
    rules=""
    for vpc in $vpcs; do
      call ec2 DescribeVpcAttribute "{\"VpcId\": \"$vpc\", \"Attribute\": \"enableDnsSupport\"}"
      call ec2 DescribeVpcAttribute "{\"VpcId\": \"$vpc\", \"Attribute\": \"enableDnsHostnames\"}"
      where=$home call route53 ListHostedZonesByVPC "{\"VPCId\": \"$vpc\", \"VPCRegion\": \"$region\"}"
      zones=$(if [ -n "$file" ] && grep -q -e amazonaws -e 'aws\."' "$file"; then member HostedZoneId "$file"; fi)
      call route53resolver ListResolverRuleAssociations "$(echo "$vpc" | filter VPCId)"
      rules="$rules$(member ResolverRuleId "$file")"
      call route53profiles ListProfileAssociations "{\"ResourceId\": \"$vpc\"}"
      for profile in $(member ProfileId "$file"); do
        call route53profiles ListProfileResourceAssociations "{\"ProfileId\": \"$profile\"}"
        held=$(member ResourceArn "$file")
        zones="$zones $(printf '%s\n' "$held" | sed -nE 's/^.*:hostedzone\///p')"
        shared=$(printf '%s\n' "$held" | sed -nE 's/^.*:vpc-endpoint\///p')
        if [ -n "$shared" ]; then call ec2 DescribeVpcEndpoints "$(printf '%s\n' "$shared" | filter vpc-endpoint-id)"; fi
        rules="$rules$(printf '%s\n' "$held" | sed -nE 's/^.*:resolver-rule\///p')"
      done
      for zone in $zones; do
        where=$home call route53 ListResourceRecordSets "{\"HostedZoneId\": \"$zone\"}"
      done
    done
    if [ -n "$rules" ]; then call route53resolver ListResolverRules "{}"; fi
    for operation in DescribeSubnets DescribeRouteTables DescribeNetworkAcls DescribeVpcEndpoints; do
      call ec2 $operation "$(printf '%s\n' "$vpcs" | filter vpc-id)"
      if [ -n "$file" ] && [ $operation != DescribeNetworkAcls ]; then found+=("$file"); fi
      case $operation in DescribeRouteTables) routes=$file ;; DescribeVpcEndpoints) endpoints=$file ;; esac
    done
    call ec2 DescribeNatGateways "$(printf '%s\n' "$vpcs" | filter vpc-id | sed 's/"Filters"/"Filter"/')"
    call ec2 DescribeInternetGateways "$(printf '%s\n' "$vpcs" | filter attachment.vpc-id)"
    ids sg "${found[@]}" | grep -vxF "$(ids sg "${all[@]}")" >"$tmp/groups"
    if [ -s "$tmp/groups" ]; then call ec2 DescribeSecurityGroups "$(filter group-id <"$tmp/groups")"; fi
    if [ -n "$file" ]; then found+=("$file"); fi
    if [ -n "$endpoints" ]; then ids eni "$endpoints" | grep -vxF "$(ids eni "${interfaces:-/dev/null}")" >"$tmp/interfaces"; fi
    if [ -s "$tmp/interfaces" ]; then
      call ec2 DescribeNetworkInterfaces "$(filter network-interface-id <"$tmp/interfaces")"
    fi
    for list in $(ids pl "${found[@]}"); do
      call ec2 GetManagedPrefixListEntries "{\"PrefixListId\": \"$list\"}"
    done
    if [ -n "$routes" ] && [ -n "$(ids pcx "$routes")" ]; then
      call ec2 DescribeVpcPeeringConnections "{\"VpcPeeringConnectionIds\": $(ids pcx "$routes" | list)}"
    fi
    if [ -n "$routes" ] && [ -n "$(ids tgw "$routes")" ]; then
      call ec2 DescribeTransitGatewayVpcAttachments "$(printf '%s\n' "$vpcs" | filter vpc-id)"
      call ec2 DescribeTransitGatewayAttachments "$(ids tgw "$routes" | filter transit-gateway-id)"
      for table in $(if [ -n "$file" ]; then ids tgw-rtb "$file"; fi); do
        call ec2 SearchTransitGatewayRoutes "{\"TransitGatewayRouteTableId\": \"$table\", \"Filters\": [{\"Name\": \"state\", \"Values\": [\"active\", \"blackhole\"]}]}"
      done
    fi
  fi
fi

# --- what a person says ----------------------------------------------------------------------------
if [ -n "$saw" ]; then
  number=$((number + 1))
  record launchpath Statement "$region" '{"by": "user"}' "$(now)" ok "\"response\": {\"text\": $saw}"
fi

{
  printf '{\n  "format": "launchpath-bundle/1",\n  "collected_at": "%s",\n  "collector": "launchpath %s script",\n' "$started" '@VERSION@'
  if [ -n "$account" ]; then printf '  "account": "%s",\n' "$account"; fi
  printf '  "region": "%s",\n  "partition": "%s",\n  "subject": {"runtime": "%s", "endpoint": "%s"},\n  "calls": [\n' \
    "$region" "$partition" "$subject" "$endpoint"
  cat "$tmp/calls"
  printf '\n  ]\n}\n'
} >"$out/bundle.json"
echo "wrote $out/bundle.json with $number calls" >&2
