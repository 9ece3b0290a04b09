import { stsError } from './aws-answers.ts';
import { accountId } from './aws-call.ts';
import { judgeIdentity } from './aws-identity.ts';
import { type Moto, signedAs } from './aws-moto.ts';
import { type Policies, readPolicies, trusts } from './aws-policy.ts';
import type { Session } from './aws-token.ts';
import type { Answer, Asked } from './stand-in.ts';
import { secondsOr } from './values.ts';

/** The lab's STS: moto gives out the sessions, and whether it may is decided here. */
export interface Sts {
  /** By access key id. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** AssumeRoleWithWebIdentity. */
  assume(asked: Asked): Promise<Answer>;
  /** ARN that GetCallerIdentity tells for an access key; undefined for an unknown one. */
  whoIs(keyId: string): Promise<string | undefined>;
  /** Trust policies, see {@link readPolicies}. */
  setTrust(value: unknown): void;
  /** Seconds that new sessions live; null for as long as was asked for. */
  setSession(value: unknown): void;
}

/** @param jwks address of the issuer's JSON Web Key Set */
export function openSts(moto: Moto, jwks: string, region: string): Sts {
  const sessions = new Map<string, Session>();
  let trust: Policies;
  let life: number | undefined;

  return {
    sessions,
    async assume(asked) {
      const form = new URLSearchParams(asked.body);
      const roleArn = form.get('RoleArn') ?? '';
      const keys: unknown = await (await fetch(jwks, { signal: AbortSignal.timeout(5000) })).json();
      const verdict = judgeIdentity(form.get('WebIdentityToken') ?? '', keys, Date.now());
      if ('code' in verdict) return stsError(400, verdict.code, verdict.message);
      if (!/^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(roleArn)) {
        return stsError(400, 'ValidationError', `${roleArn} is invalid`);
      }
      if (!roleArn.includes(`::${accountId}:`) || !trusts(trust, roleArn, verdict.claims)) {
        return stsError(403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
      }
      // As text alone, since the end of the session is changed in it.
      const { bytes: _, ...answer } = await moto(asked);
      const [keyId, secret, sessionToken, expiration, arn] = (
        ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration', 'Arn'] as const
      ).map((name) => element(answer.body, name));
      if (!keyId || !secret || !sessionToken || !expiration || !arn) return answer;
      const expires = life === undefined ? Date.parse(expiration) : Date.now() + life * 1000;
      sessions.set(keyId, { secret, sessionToken, roleArn, arn, expires });
      return { ...answer, body: answer.body.replace(expiration, new Date(expires).toISOString()) };
    },
    async whoIs(keyId) {
      const { status, body } = await moto({
        method: 'POST',
        url: new URL('http://sts/'),
        headers: {
          authorization: signedAs(keyId, 'sts', region),
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'Action=GetCallerIdentity&Version=2011-06-15',
      });
      return status === 200 ? element(body, 'Arn') : undefined;
    },
    setTrust: (value) => void (trust = readPolicies(value)),
    setSession: (value) => void (life = secondsOr(undefined, value, 'session')),
  };
}

function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1];
}
