import type { Command } from './peer.ts';

export const CURL: Command = ['curl', '--version'];

/**
 * Writes the lines of bash that start a server, send it a request with the token in TOKEN, and print its answer. In
 * their environment they have a port for the server (PORT), and the address of the API behind it (API).
 *
 * @param file the file of the server: it names the port 8000, and perhaps the API of the page
 * @param before the lines that write this file
 * @param command starts the server
 */
export function requestThrough(file: string, before: string, command: string): string {
  return `${before}
sed -i "s/\\b8000\\b/$PORT/; s/orders\\.internal:8080/$API/" ${file}
${command} >log 2>&1 &
for _ in {1..100}; do curl -s -o body "http://127.0.0.1:$PORT/" && break; sleep 0.05; done
status=$(curl -s -o body -w '%{http_code}' -H "Authorization: Bearer $TOKEN" "http://127.0.0.1:$PORT/")
kill %1
wait
case $status in 200) cat body ;; 401 | 403) echo "$status" && exit 1 ;; *) echo "$status" && cat log && exit 2 ;; esac
`;
}
