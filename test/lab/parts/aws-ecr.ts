import { randomBytes } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer, request as send } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { repositoryArn } from './aws-call.ts';
import type { Session } from './aws-token.ts';
import { type Answer, json } from './stand-in.ts';
import { isObject, secondsOr } from './values.ts';

/** What the registry of ECR needs to know to decide as ECR does. */
export interface EcrRules {
  /** `127.0.0.1:port`, as people write it before a repository's name. */
  readonly host: string;
  /** The lab's plain registry, where the images lie. */
  readonly registry: string;
  readonly region: string;
  /** IAM's word against it, or undefined where it is allowed. */
  denied(session: Session, action: string, resource: string): string | undefined;
  /** A repository as DescribeRepositories tells it; undefined where there is none. */
  describe(name: string): Promise<unknown>;
}

/** The registry that stands behind the names ECR gives out. */
export interface EcrFront {
  /** GetAuthorizationToken: a password good for 12 hours, or `lifetime` seconds. */
  authorize(session: Session): Answer;
  listen(port: number): Server;
  /** Seconds that new passwords are good for; null for 12 hours. */
  setLifetime(value: unknown): void;
}

const twelveHours = 12 * 3600;

/**
 * Plays ECR's registry before a plain one: it insists on the password, asks IAM for the action behind each request, and
 * keeps tags of immutable repositories where they are, in ECR's own words; what it lets through is streamed.
 */
export function openEcrFront(rules: EcrRules): EcrFront {
  const passwords = new Map<string, { session: Session; expires: number }>();
  let lifetime = twelveHours;

  async function refusal({ method = '', url = '/', headers }: IncomingMessage): Promise<Answer | undefined> {
    const known = passwords.get(passwordOf(headers.authorization));
    if (known === undefined) {
      const challenge = `Basic realm="http://${rules.host}/",service="ecr.amazonaws.com"`;
      return { status: 401, headers: { 'www-authenticate': challenge }, body: 'Not Authorized\n' };
    }
    if (known.expires <= Date.now()) {
      return fault(403, 'DENIED', 'Your authorization token has expired. Reauthenticate and try again.');
    }
    const { pathname } = new URL(url, 'http://ecr');
    if (pathname === '/v2/') return undefined;
    const [, name, kind, rest = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.*)$/.exec(pathname) ?? [];
    if (name === undefined) return fault(404, 'UNSUPPORTED', 'ECR does not serve this');
    const action = actionOf(method, kind === 'manifests', rest);
    const told = rules.denied(known.session, action, repositoryArn(name, rules.region));
    if (told !== undefined) return fault(403, 'DENIED', told);
    const repository = await rules.describe(name);
    if (repository === undefined) {
      return fault(404, 'NAME_UNKNOWN', `The repository with name '${name}' does not exist in the registry`);
    }
    const fixed = isObject(repository) && repository['imageTagMutability'] === 'IMMUTABLE';
    if (action !== 'ecr:PutImage' || !fixed || rest.includes(':') || !(await stands(rules.registry, name, rest))) {
      return undefined;
    }
    const words = `The image tag '${rest}' already exists in the '${name}' repository and cannot be overwritten because the repository is immutable.`;
    return fault(400, 'TAG_INVALID', words);
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = await refusal(request);
    if (refused === undefined) return passOn(request, response, rules.registry);
    request.resume();
    response.writeHead(refused.status, { ...refused.headers });
    response.end(request.method === 'HEAD' ? undefined : refused.body);
  }

  return {
    authorize(session) {
      const password = randomBytes(48).toString('base64url');
      const expires = Date.now() + lifetime * 1000;
      passwords.set(password, { session, expires });
      const authorizationToken = Buffer.from(`AWS:${password}`).toString('base64');
      const data = { authorizationToken, expiresAt: expires / 1000, proxyEndpoint: `http://${rules.host}` };
      return json(200, { authorizationData: [data] });
    },
    listen: (port) =>
      createServer((request, response) => {
        handle(request, response).catch((error: unknown) => {
          if (!response.headersSent) response.writeHead(500).end(`fault of the lab: ${String(error)}`);
          else response.destroy();
        });
      }).listen(port, '127.0.0.1'),
    setLifetime: (value) => void (lifetime = secondsOr(twelveHours, value, 'registry-password')),
  };
}

/** The action that ECR's registry asks IAM about (user guide of ECR, "Pushing an image", "Pulling an image"). */
function actionOf(method: string, isManifest: boolean, rest: string): string {
  if (isManifest) return method === 'PUT' ? 'ecr:PutImage' : 'ecr:BatchGetImage';
  if (method === 'POST') return 'ecr:InitiateLayerUpload';
  if (method === 'PATCH') return 'ecr:UploadLayerPart';
  if (method === 'PUT') return 'ecr:CompleteLayerUpload';
  if (method === 'HEAD') return 'ecr:BatchCheckLayerAvailability';
  return rest.startsWith('uploads/') ? 'ecr:UploadLayerPart' : 'ecr:GetDownloadUrlForLayer';
}

function passwordOf(authorization = ''): string {
  const [, encoded = ''] = /^Basic (.+)$/i.exec(authorization) ?? [];
  const [, password = ''] = /^AWS:(.*)$/.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  return password;
}

async function stands(registry: string, name: string, tag: string): Promise<boolean> {
  const accept =
    'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json';
  const answer = await fetch(`http://${registry}/v2/${name}/manifests/${tag}`, { method: 'HEAD', headers: { accept } });
  return answer.ok;
}

/** The Host header stays, so that the registry answers with addresses of this front. */
async function passOn(request: IncomingMessage, response: ServerResponse, registry: string): Promise<void> {
  const { authorization: _, ...headers } = request.headers;
  const url = new URL(request.url ?? '/', `http://${registry}`);
  // ECR takes no layer from another repository unless an account asks for that.
  url.searchParams.delete('mount');
  const isManifest = request.method === 'PUT' && /\/manifests\/sha256:/.test(url.pathname);
  const chunks: Buffer[] = [];
  if (isManifest) request.on('data', (chunk: Buffer) => void chunks.push(chunk));
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = send(url, { method: request.method, headers }, resolve).once('error', reject);
    request.pipe(sent);
  });
  response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...subjectHeader(Buffer.concat(chunks)) });
  await pipeline(answer, response);
}

/** ECR keeps the list of what refers to an image itself, and says so by this header of the OCI specification. */
function subjectHeader(manifest: Buffer): Record<string, string> {
  const [, digest] = /"subject":\{[^}]*"digest":"(sha256:[0-9a-f]{64})"/.exec(manifest.toString()) ?? [];
  return digest === undefined ? {} : { 'oci-subject': digest };
}

function fault(status: number, code: string, message: string): Answer {
  return json(status, { errors: [{ code, message }] });
}
