import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { assumeRole, describeCluster, stsError } from './aws-answers.ts';
import type { Answer, ClusterPlace } from './aws-answers.ts';
import { reviewToken } from './aws-token.ts';
import type { Session } from './aws-token.ts';

/** What the server is told in the JSON file named on its command line. */
interface Settings extends ClusterPlace {
  readonly port: number;
  readonly webhookPort: number;
  /** The role that the cluster knows as the user `deployer`. */
  readonly roleArn: string;
}

const largestBody = 1_000_000;
const settings: Settings = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
const sessions = new Map<string, Session>();
const deployer = { username: 'deployer', groups: ['lab:deployers'] };
let maxAgeSeconds = 900;

function answerAws(request: IncomingMessage, body: string): Answer {
  const { pathname } = new URL(request.url ?? '/', 'http://lab');
  if (request.method === 'PUT' && pathname === '/_lab/token-age') {
    const age = Number(body);
    if (!(age > 0)) return stsError(400, 'ValidationError', 'Age must be seconds');
    maxAgeSeconds = age;
    return { status: 200, type: 'application/json', body: '{}' };
  }
  const [, name] = /^\/clusters\/([^/]+)$/u.exec(pathname) ?? [];
  if (request.method === 'GET' && name !== undefined) {
    return describeCluster(decodeURIComponent(name), settings);
  }
  const form = new URLSearchParams(body);
  if (form.get('Action') === 'AssumeRoleWithWebIdentity') {
    return assumeRole(form, sessions, Date.now());
  }
  return stsError(400, 'InvalidAction', 'The lab does not answer this');
}

function answerReview(_request: IncomingMessage, body: string): Answer {
  const review: { spec?: { token?: unknown } } = JSON.parse(body);
  const token = typeof review.spec?.token === 'string' ? review.spec.token : '';
  const users = new Map([[settings.roleArn, deployer]]);
  const rules = { clusterName: settings.name, maxAgeSeconds, sessions, users };
  const verdict = reviewToken(token, rules, Date.now());
  const status =
    'user' in verdict ? { authenticated: true, user: verdict.user } : { authenticated: false, error: verdict.refused };
  const answer = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status };
  return { status: 200, type: 'application/json', body: JSON.stringify(answer) };
}

function serve(port: number, answer: (request: IncomingMessage, body: string) => Answer): void {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) {
        body += String(chunk);
        if (body.length > largestBody) throw new Error('too large');
      }
      const { status, type, body: text } = answer(request, body);
      response.writeHead(status, { 'content-type': type }).end(text);
    } catch {
      response.writeHead(400).end();
    }
  };
  createServer((request, response) => void handle(request, response)).listen(port, '127.0.0.1');
}

serve(settings.port, answerAws);
serve(settings.webhookPort, answerReview);
