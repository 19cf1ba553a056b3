"""The formats that are known by name, as plain data. `auto` tries them in this order."""

from logparse.spec import LogFormat

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
)
