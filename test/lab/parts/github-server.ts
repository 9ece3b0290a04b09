import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';

// Requests are held to GitHub's description; the answers carry only the fields our actions read.
const [port = '0', token = '', idToken = ''] = process.argv.slice(2);
interface Description {
  paths: Record<string, { post?: { requestBody?: { content: Record<string, { schema: object }> } } }>;
}
const file = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.deref.json');
const { paths } = JSON.parse(await readFile(file, 'utf8')) as Description;
const ajv = new Ajv({ strict: false, validateFormats: false });
const routes = ['deployments', 'deployments/{deployment_id}/statuses'].map((end) => {
  const path = `/repos/{owner}/{repo}/${end}`;
  const schema = paths[path]?.post?.requestBody?.content['application/json']?.schema;
  if (schema === undefined) throw new Error(`GitHub describes no POST ${path}`);
  return { pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`), valid: ajv.compile(schema) };
});
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const asked: unknown[] = [];
let faults: (number | 'reset')[] = [];
let nextId = 1;

function jwt(audience: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: `http://127.0.0.1:${port}`, aud: audience, iat: now, exp: now + 600, jti: randomUUID() };
  const subject = { sub: 'repo:acme/shop:environment:production', repository: 'acme/shop' };
  const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: 'lab' })}.${part({ ...claims, ...subject })}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

function answer(method: string, url: URL, authorization: string, body: string): [number, unknown] {
  if (url.pathname === '/_lab/requests') return [200, asked];
  if (url.pathname === '/_lab/faults') {
    faults = JSON.parse(body) as typeof faults;
    return [200, {}];
  }
  if (url.pathname === '/.well-known/jwks') {
    return [200, { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'lab', alg: 'RS256', use: 'sig' }] }];
  }
  if (url.pathname === '/_lab/id-token') {
    if (authorization !== `Bearer ${idToken}`) return [401, {}];
    return [200, { value: jwt(url.searchParams.get('audience') ?? '') }];
  }
  if (!authorization.endsWith(` ${token}`)) return [401, { message: 'Bad credentials' }];
  const route = method === 'POST' ? routes.find(({ pattern }) => pattern.test(url.pathname)) : undefined;
  if (route === undefined) return [404, { message: 'Not Found' }];
  const sent: unknown = JSON.parse(body);
  if (!route.valid(sent)) return [422, { message: ajv.errorsText(route.valid.errors) }];
  asked.push({ method, path: url.pathname, body: sent });
  return [201, { id: nextId++ }];
}

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => void chunks.push(chunk));
  request.on('end', () => {
    const url = new URL(request.url ?? '/', 'http://lab');
    const fault = url.pathname.startsWith('/repos/') ? faults.shift() : undefined;
    if (fault === 'reset') return void request.socket.destroy();
    const [status, value] = fault
      ? [fault, { message: 'fault' }]
      : answer(request.method ?? '', url, request.headers.authorization ?? '', Buffer.concat(chunks).toString());
    const retry = fault === 403 || fault === 429 ? { 'retry-after': '1' } : {};
    response.writeHead(status, { 'content-type': 'application/json', ...retry }).end(JSON.stringify(value));
  });
}).listen(Number(port), '127.0.0.1');
