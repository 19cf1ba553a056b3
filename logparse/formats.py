"""The formats that are known by name, as plain data. `auto` tries them in this order."""

from logparse.spec import LogFormat

IIS_FIELDS = (
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) "
    "sc-status sc-substatus sc-win32-status time-taken"
)
"""What IIS logs by default."""

CLOUDFRONT_FIELDS = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken "
    "x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status "
    "fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len "
    "sc-range-start sc-range-end"
)

GCS_COLUMNS = (
    "time_micros c_ip c_ip_type c_ip_region cs_method cs_uri sc_status cs_bytes sc_bytes time_taken_micros cs_host "
    "cs_referer cs_user_agent s_request_id cs_operation cs_bucket cs_object"
)

HAPROXY = (
    "{address}:{_:number} [{time:haproxy}] {_} {_}/{_} {_}/{_}/{_}/{_}/{_} {status} {bytes} {_} {_} {_} "
    '{_}/{_}/{_}/{_}/{_} {*} "{request:hash}"'
)
"""HAProxy's `option httplog`; captured headers, which may be missing, are in `{*}` with the queues."""

BUILT_IN: tuple[LogFormat, ...] = (
    LogFormat(
        "vcombined",
        "apache",
        r'%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
        "combined after virtual host and port, as Debian's Apache writes for other hosts",
    ),
    LogFormat(
        "combined",
        "apache",
        r'%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"',
        "the default of nginx and the usual choice for Apache",
    ),
    LogFormat(
        "forwarded",
        "nginx",
        '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
        '"$http_referer" "$http_user_agent" "$http_x_forwarded_for"',
        "combined and X-Forwarded-For, as nginx packages write",
    ),
    LogFormat("common", "apache", r'%h %l %u %t "%r" %>s %b', "Common Log Format of the NCSA"),
    LogFormat(
        "traefik",
        "named",
        '{address} - {login} [{time:clf}] "{request}" {status} {bytes} "{referrer}" "{agent}" {_:number} '
        '"{_}" "{_}" {_:number}ms',
        "Traefik's access log in its Common Log Format",
    ),
    LogFormat(
        "elb",
        "named",
        "{time:iso} {_} {address:ports}:{_:number} {_} {_} {_} {_} {status} {_} {_} {bytes} "
        '"{request:absolute}" "{agent:raw}" {_} {_}',
        "AWS Classic Load Balancer",
    ),
    LogFormat(
        "alb",
        "named",
        "{_} {time:iso} {_} {address:ports}:{_:number} {_} {_} {_} {_} {status} {_} {_} {bytes} "
        '"{request:absolute}" "{agent:raw}" {*}',
        "AWS Application Load Balancer",
    ),
    LogFormat(
        "s3",
        "named",
        '{_} {_} [{time:clf}] {address} {login} {_} {_} {_} "{request:raw}" {status} {_} {bytes} {_} {_} {_} '
        '"{referrer:raw}" "{agent:raw}" {_:word} {_:word} {_:word} {_:word} {_:word} {host:word} {*}',
        "Amazon S3 server access log",
    ),
    LogFormat(
        "s3-2018",
        "named",
        '{_} {_} [{time:clf}] {address} {login} {_} {_} {_} "{request:raw}" {status} {_} {bytes} {_} {_} {_} '
        '"{referrer:raw}" "{agent:raw}" {_}',
        "Amazon S3 server access log until 2018, which names no host",
    ),
    LogFormat(
        "squid",
        "named",
        "{time:seconds}  {_:number} {address} {_}/{status} {bytes} {method} {target:absolute} {login} {_}/{_} {_}",
        "Squid's native access.log",
    ),
    LogFormat("haproxy", "named", HAPROXY, "HAProxy with `option httplog`, alone on its lines"),
    LogFormat("haproxy-syslog", "named", "{*}]: " + HAPROXY, "the same behind a syslog prefix, `host haproxy[1]: `"),
    LogFormat("haproxy-rfc5424", "named", "{*} - - " + HAPROXY, "the same behind a prefix of RFC 5424"),
    LogFormat(
        "cloudfront",
        "w3c",
        "#Fields: " + "\t".join(CLOUDFRONT_FIELDS.split()),
        "AWS CloudFront standard log",
    ),
    LogFormat("w3c", "w3c", "#Fields: " + IIS_FIELDS, "W3C extended log, as IIS writes"),
    LogFormat(
        "gcs",
        "csv",
        ",".join(f'"{name}"' for name in GCS_COLUMNS.split()),
        "Google Cloud Storage usage log",
    ),
    LogFormat(
        "caddy",
        "json",
        help="Caddy's access log",
        keys={
            "time:any": "ts",
            "address": ["request.client_ip", "request.remote_ip", "request.remote_addr"],
            "forwarded": "request.headers.X-Forwarded-For[]",
            "login": "user_id",
            "host": "request.host",
            "method": "request.method",
            "target": "request.uri",
            "status": "status",
            "bytes": "size",
            "referrer": "request.headers.Referer[]",
            "agent": "request.headers.User-Agent[]",
            "cookies": "request.headers.Cookie[]",
        },
    ),
    LogFormat(
        "traefik-json",
        "json",
        help="Traefik's access log as JSON",
        keys={
            "time:iso": ["StartUTC", "time"],
            "address": "ClientHost",
            "forwarded": "request_X-Forwarded-For",
            "login": "ClientUsername",
            "host": ["RequestHost", "RequestAddr"],
            "method": "RequestMethod",
            "target": "RequestPath",
            "status": "DownstreamStatus",
            "bytes": "DownstreamContentSize",
            "referrer": "request_Referer",
            "agent": "request_User-Agent",
            "cookies": "request_Cookie",
        },
    ),
    LogFormat(
        "nginx-json",
        "json",
        help="nginx with `escape=json` and its variables' names as keys",
        keys={
            "time:any": ["time_iso8601", "msec", "time_local"],
            "address": "remote_addr",
            "forwarded": "http_x_forwarded_for",
            "login": "remote_user",
            "host": ["http_host", "host", "server_name"],
            "request": "request",
            "method": "request_method",
            "target": "request_uri",
            "status": "status",
            "bytes": ["body_bytes_sent", "bytes_sent"],
            "referrer": "http_referer",
            "agent": "http_user_agent",
        },
    ),
)
