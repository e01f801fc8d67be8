import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes a configuration for nginx, which then keeps everything in a folder and stays in the foreground.
 *
 * @param http the content of the block `http`
 * @returns the arguments of nginx
 */
export function nginxArguments(folder: string, http: string): readonly string[] {
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  ${http}
}`,
  );
  return ['-c', file];
}
