import { readFile } from 'node:fs/promises';
import { type Refusal, refuse, stsError } from './aws-answers.ts';
import { type AwsCall, accountId, readCall } from './aws-call.ts';
import { openEcrFront } from './aws-ecr.ts';
import { openMoto, signedAs } from './aws-moto.ts';
import { type Policies, allows, denial, readPolicies } from './aws-policy.ts';
import { signatureFault } from './aws-signature.ts';
import { openSts } from './aws-sts.ts';
import { type Session, reviewToken } from './aws-token.ts';
import { openUsers } from './aws-users.ts';
import { openWeb } from './aws-web.ts';
import { type Answer, type Asked, json, serve } from './stand-in.ts';
import { isObject, secondsOr } from './values.ts';

/** What the server is told in the JSON file named on its command line. */
export interface AwsSettings {
  readonly port: number;
  readonly ecrPort: number;
  readonly webhookPort: number;
  /** Origin of moto. */
  readonly moto: string;
  /** Host of the lab's plain registry. */
  readonly registry: string;
  /** Address of the key set that the OIDC tokens are signed with. */
  readonly jwks: string;
  readonly region: string;
  readonly cluster: { readonly name: string; readonly endpoint: string; readonly caFile: string };
  /** The role that the cluster knows from the start. */
  readonly roleArn: string;
}

const given = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as AwsSettings;
const { region, cluster } = given;
const ecrHost = `127.0.0.1:${given.ecrPort}`;
const moto = openMoto(given.moto);
const sts = openSts(moto, given.jwks, region);
const users = openUsers(given.roleArn);
const ecr = openEcrFront({ host: ecrHost, registry: given.registry, region, denied, describe: describeRepository });
const web = openWeb(moto, region);
/** What moto answers of these is passed on as it is. */
const PLAIN: ReadonlySet<string> = new Set(['rds', 'elasticloadbalancing', 'ec2']);
let policies: Policies;
let tokenAge = 900;

function denied({ roleArn, arn }: Session, action: string, resource: string): string | undefined {
  return allows(policies, roleArn, action, resource) ? undefined : denial(arn, action, resource);
}

async function answer(asked: Asked): Promise<Answer> {
  const call = readCall(asked, region);
  if (call === undefined) return refuse(undefined, 'unsupported');
  if (call.action === 'sts:AssumeRoleWithWebIdentity') return sts.assume(asked);
  const session = sessionOf(call);
  if (typeof session === 'string') return refuse(call.service, session);
  const isWeb = call.service === 's3' || call.service === 'cloudfront';
  const fault =
    isWeb || call.service === 'rds' || call.service === 'elasticloadbalancing'
      ? signatureFault(asked, session.secret)
      : undefined;
  if (fault !== undefined) return stsError(403, fault, 'The request signature we calculated does not match');
  const asks = call.service === 'sts' ? [] : [call, ...(call.also ?? [])];
  const [told] = asks.flatMap(({ action, resource }) => denied(session, action, resource) ?? []);
  if (told !== undefined) return web.denial(asked, call) ?? refuse(call.service, 'denied', told);
  if (call.action === 'ecr:GetAuthorizationToken') return ecr.authorize(session);
  if (isWeb) return web.answer(asked, call);
  const { bytes: _, ...answered } = await moto(asked);
  if (PLAIN.has(call.service)) return answered;
  return { ...answered, body: call.service === 'eks' ? asLabs(answered.body) : withEcrHost(answered.body) };
}

function sessionOf({ keyId = '', sessionToken }: AwsCall): Session | Refusal {
  const session = sts.sessions.get(keyId);
  if (session === undefined || session.sessionToken !== sessionToken) return 'unknown-key';
  return session.expires > Date.now() ? session : 'expired';
}

/** moto invents where a cluster is; here it is the lab's. */
function asLabs(body: string): string {
  const told: unknown = JSON.parse(body);
  if (!isObject(told) || !isObject(told['cluster'])) return body;
  const certificateAuthority = { data: ca.toString('base64') };
  return JSON.stringify({ cluster: { ...told['cluster'], endpoint: cluster.endpoint, certificateAuthority } });
}

/** ECR's names lead to the lab. */
function withEcrHost(body: string): string {
  return body.replaceAll(/\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/g, ecrHost);
}

async function describeRepository(name: string): Promise<unknown> {
  const headers = {
    authorization: signedAs('AKIALAB', 'ecr', region),
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.DescribeRepositories',
  };
  const body = JSON.stringify({ repositoryNames: [name] });
  const answered = await moto({ method: 'POST', url: new URL('http://ecr/'), headers, body });
  const told: unknown = JSON.parse(answered.body);
  const list: unknown = isObject(told) ? told['repositories'] : undefined;
  return Array.isArray(list) ? list[0] : undefined;
}

async function review({ body }: Asked): Promise<Answer> {
  const asked: unknown = JSON.parse(body);
  const spec: unknown = isObject(asked) ? asked['spec'] : undefined;
  const token = isObject(spec) && typeof spec['token'] === 'string' ? spec['token'] : '';
  const rules = { clusterName: cluster.name, maxAgeSeconds: tokenAge, sessions: sts.sessions };
  const verdict = reviewToken(token, rules, Date.now());
  const arn = 'keyId' in verdict ? await sts.whoIs(verdict.keyId) : undefined;
  const user = arn === undefined ? undefined : users.of(arn);
  const error = 'refused' in verdict ? verdict.refused : `no access entry for ${arn ?? 'an unknown caller'}`;
  const status = user === undefined ? { authenticated: false, error } : { authenticated: true, user };
  return json(200, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status });
}

async function createCluster(): Promise<void> {
  const headers = { authorization: signedAs('AKIALAB', 'eks', region), 'content-type': 'application/json' };
  const roleArn = `arn:aws:iam::${accountId}:role/eks`;
  const body = JSON.stringify({ name: cluster.name, roleArn, resourcesVpcConfig: { subnetIds: [] } });
  const made = await moto({ method: 'POST', url: new URL('http://eks/clusters'), headers, body });
  if (made.status !== 200) throw new Error(`moto made no cluster: ${made.body}`);
}

/** With the object for S3, so that a fault can be about one. */
function nameOf(asked: Asked): string {
  const call = readCall(asked, region);
  if (call === undefined) return `${asked.method} ${asked.url.pathname}`;
  return call.service === 's3' ? `${call.action} ${call.resource}` : call.action;
}

const ca = await readFile(cluster.caFile);
await createCluster();
const faulty = (why: Refusal) => (asked: Asked) => refuse(readCall(asked, region)?.service, why);
serve(given.port, {
  name: nameOf,
  answer,
  faults: { throttle: faulty('throttled'), 'server-error': faulty('failed'), expire: faulty('expired') },
  settings: {
    policy: (value) => void (policies = readPolicies(value)),
    trust: (value) => sts.setTrust(value),
    session: (value) => sts.setSession(value),
    users: (value) => users.set(value),
    invalidation: (value) => web.setDelay(value),
    edge: (value) => web.setEdge(value),
    'registry-password': (value) => ecr.setLifetime(value),
    'token-age': (value) => void (tokenAge = secondsOr(900, value, 'token-age')),
  },
});
serve(given.webhookPort, { name: () => 'TokenReview', answer: review, faults: {}, settings: {} });
ecr.listen(given.ecrPort);
