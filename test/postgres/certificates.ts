import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate authority of a test's own, made by openssl. */
export interface Authority {
  /** PEM of its certificate. */
  readonly certificate: string;
  /** A certificate and its key as PEM, for a name such as `DNS:localhost`. */
  issue(
    name: string,
    options?: { readonly expired?: boolean },
  ): Promise<{ readonly certificate: string; readonly key: string }>;
}

const CONFIG = `[ca]
default_ca = own
[own]
dir = .
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = none
[none]
`;

/** Makes one in a folder that exists. */
export async function authority(folder: string, name: string, subject = `/CN=${name}`): Promise<Authority> {
  const cwd = path.join(folder, name);
  await mkdir(cwd);
  await writeFile(path.join(cwd, 'ca.cnf'), CONFIG);
  await writeFile(path.join(cwd, 'index.txt'), '');
  const openssl = async (...args: readonly string[]): Promise<unknown> => run('openssl', [...args], { cwd });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-config', 'ca.cnf'];
  const isAuthority = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
  await openssl(
    'req',
    '-x509',
    '-days',
    '2',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    subject,
    ...isAuthority,
  );
  const read = async (file: string): Promise<string> => readFile(path.join(cwd, file), 'utf8');
  return {
    certificate: await read('ca.pem'),
    async issue(alternative, { expired = false } = {}) {
      await openssl(
        'req',
        ...key,
        '-keyout',
        'own.key',
        '-out',
        'own.csr',
        '-subj',
        '/CN=server',
        '-addext',
        `subjectAltName=${alternative}`,
      );
      const dates = expired ? ['-startdate', '20240101000000Z', '-enddate', '20240201000000Z'] : ['-days', '1'];
      await openssl(
        'ca',
        '-batch',
        '-config',
        'ca.cnf',
        '-cert',
        'ca.pem',
        '-keyfile',
        'ca.key',
        '-in',
        'own.csr',
        '-out',
        'own.pem',
        '-notext',
        ...dates,
      );
      return { certificate: await read('own.pem'), key: await read('own.key') };
    },
  };
}
