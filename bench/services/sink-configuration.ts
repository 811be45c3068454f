import { ACCOUNT } from "./storage.ts";

const LISTING =
  `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://127.0.0.1/${ACCOUNT}">` +
  `<Blobs/><NextMarker/></EnumerationResults>`;
/** For a program that asks whether anything is there. */
const ONE_BLOB = LISTING.replace(
  "<Blobs/>",
  "<Blobs><Blob><Name>x</Name><Properties><Content-Length>0</Content-Length></Properties></Blob></Blobs>",
);
const NOT_FOUND =
  '<?xml version="1.0" encoding="utf-8"?><Error><Code>BlobNotFound</Code>' +
  "<Message>The specified blob does not exist.</Message></Error>";

/** What clients expect in the answer to a write. */
const HEADERS = `
      add_header ETag '"0x8DD000000000000"' always;
      add_header Last-Modified "Mon, 01 Jan 2024 00:00:00 GMT" always;
      add_header x-ms-request-id "00000000-0000-0000-0000-000000000000" always;
      add_header x-ms-version "2024-11-04" always;
      add_header x-ms-request-server-encrypted "true" always;`;

/** Bodies of this many digits in their length (from 1 MB on) are read to the end before the answer. */
const LARGE_DIGITS = 7;

/**
 * nginx as a Blob service that stores nothing. It answers writes with 201 and the headers that clients expect; lists
 * are empty or have one blob, and blobs are not found; the ledger's container is Azurite's.
 * nginx answers at once and discards the body as it arrives. For small bodies that makes no difference, but a large
 * one would be "written" before it is sent, and its client would hold more in memory than intended. So large bodies
 * pass through a second server, which makes nginx read the whole body first.
 */
export function sinkConfiguration(at: {
  folder: string;
  port: number;
  azuritePort: number;
  /** While this file exists, lists have one blob. */
  filled: string;
}): string {
  const { folder, port, azuritePort, filled } = at;
  return `
daemon off;
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 2048; }
http {
  access_log off;
  default_type application/xml;
  etag off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_max_body_size 0;
  client_body_buffer_size 16m;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream azurite { server 127.0.0.1:${azuritePort}; keepalive 64; }
  upstream large { server unix:${folder}/large.sock; keepalive 64; }
  map "$request_method $http_content_length" $kind {
    "~^PUT [0-9]{${LARGE_DIGITS},}$" large;
    "~^(PUT|POST|DELETE) " write;
    default read;
  }
  map $arg_comp $listing { list 1; default 0; }

  server {
    listen 127.0.0.1:${port} backlog=1024;
    merge_slashes off;
    error_page 418 = @large;
    error_page 404 = @missing;
    location = /requests { stub_status; }
    location /${ACCOUNT}/backup-runs {
      proxy_pass http://azurite;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
    }
    location / {${HEADERS}
      if ($kind = write) { return 201; }
      if ($kind = large) { return 418; }
      set $listed $listing;
      if (-f ${filled}) { set $listed "filled $listing"; }
      if ($listed = "filled 1") { return 200 '${ONE_BLOB}'; }
      if ($listing) { return 200 '${LISTING}'; }
      return 404;
    }
    location @missing {
      add_header x-ms-error-code BlobNotFound always;
      return 404 '${NOT_FOUND}';
    }
    location @large {${HEADERS}
      proxy_pass http://large;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
  server {
    listen unix:${folder}/large.sock;
    return 201;
  }
}
`;
}
