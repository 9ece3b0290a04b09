import { createHash, createSign, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { ask, jsonOf, serviceUrl } from '../http/ask.ts';
import { isObject } from '../project/json.ts';
import { objects, textList, textOf } from '../packages/values.ts';

// The libraries of Sigstore for Node would add 330 kB (gzipped) to what every job downloads; what is needed of them are
// three requests and one JSON document, whose form the tests check by those libraries themselves.

type Json = Readonly<Record<string, unknown>>;
type SigstoreHost = Pick<Host, 'env' | 'clock' | 'signal'>;

/** A Sigstore bundle of version 0.3 in JSON: https://docs.sigstore.dev/about/bundle/. */
export type Bundle = Json & { readonly mediaType: string };

/** The services that sign: either of Sigstore's public instance, or of GitHub's own, whose log is not public. */
export interface Services {
  readonly fulcio: string;
  /** Transparency log; of the public instance. */
  readonly rekor?: string;
  /** Time stamps; of GitHub's instance. */
  readonly tsa?: string;
}

/** What to do where a service of others fails. */
export const AGAIN = 'Run the job again; set attest to false where it stays so.';
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/**
 * The services for a repository: a public one is told to the public log, of any other nothing may become known there.
 * `FULCIO_URL`, `REKOR_URL` and `TSA_URL` of the environment name others.
 */
export function servicesFor(visibility: string, serverUrl: string, env: Host['env']): Services {
  if (visibility === 'public') {
    return {
      fulcio: serviceUrl(env, 'FULCIO_URL', 'https://fulcio.sigstore.dev'),
      rekor: serviceUrl(env, 'REKOR_URL', 'https://rekor.sigstore.dev'),
    };
  }
  const host = new URL(serverUrl).hostname.replace(/^github\.com$/, 'githubapp.com');
  return {
    fulcio: serviceUrl(env, 'FULCIO_URL', `https://fulcio.${host}`),
    tsa: serviceUrl(env, 'TSA_URL', `https://timestamp.${host}`),
  };
}

/**
 * Signs statements with a key that lives for this call alone, which Fulcio certifies for the job's identity.
 * @param token the job's OIDC token for the audience `sigstore`, and its subject
 * @throws UserError when a service refuses or does not answer
 */
export async function signer(
  token: { readonly value: string; readonly subject: string },
  services: Services,
  host: SigstoreHost,
): Promise<(content: object) => Promise<Bundle>> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sign = (data: Uint8Array): Buffer => createSign('sha256').update(data).sign(privateKey);
  const certificate = await certify(
    {
      credentials: { oidcIdentityToken: token.value },
      publicKeyRequest: {
        publicKey: { algorithm: 'ECDSA', content: publicKey.export({ type: 'spki', format: 'pem' }) },
        proofOfPossession: sign(Buffer.from(token.subject)).toString('base64'),
      },
    },
    services.fulcio,
    host,
  );
  return async (content) => {
    const payload = Buffer.from(JSON.stringify(content));
    const signature = sign(preAuthentication(payload));
    const envelope = {
      payload: payload.toString('base64'),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: signature.toString('base64'), keyid: '' }],
    };
    const { rekor, tsa } = services;
    const entries = rekor === undefined ? [] : [await logged(envelope, certificate, rekor, host)];
    const stamps = tsa === undefined ? [] : [await stamped(signature, tsa, host)];
    return {
      mediaType: BUNDLE_TYPE,
      verificationMaterial: {
        certificate: { rawBytes: certificate.raw.toString('base64') },
        tlogEntries: entries,
        timestampVerificationData: { rfc3161Timestamps: stamps.map((signedTimestamp) => ({ signedTimestamp })) },
      },
      dsseEnvelope: envelope,
    };
  };
}

/** What is signed in an envelope: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md. */
function preAuthentication(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload]);
}

/** https://github.com/sigstore/fulcio/blob/main/fulcio.proto: a certificate of ten minutes for the identity. */
async function certify(request: object, fulcio: string, host: SigstoreHost): Promise<X509Certificate> {
  const answer = await post(`${fulcio}/api/v2/signingCert`, request, "Sigstore's certificate authority", host);
  const value = jsonOf(answer);
  const certificates = isObject(value) ? objects(value).map(([, one]) => one['chain']) : [];
  const [first] = certificates.flatMap((chain) => (isObject(chain) ? textList(chain['certificates']) : []));
  if (first === undefined) throw new UserError(`${fulcio} answered without a certificate`, { remedy: AGAIN });
  try {
    return new X509Certificate(first);
  } catch (error) {
    throw new UserError(`${fulcio} answered with a certificate that is none`, { remedy: AGAIN, cause: error });
  }
}

/** An entry of kind `dsse` in Rekor, https://github.com/sigstore/rekor/blob/main/openapi.yaml, in the form of the bundle. */
async function logged(
  envelope: object,
  certificate: X509Certificate,
  rekor: string,
  host: SigstoreHost,
): Promise<Json> {
  const verifier = Buffer.from(certificate.toString()).toString('base64');
  const proposed = {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: { proposedContent: { envelope: JSON.stringify(envelope), verifiers: [verifier] } },
  };
  const value = jsonOf(await post(`${rekor}/api/v1/log/entries`, proposed, "Sigstore's transparency log", host));
  const [[, entry] = []] = objects(value);
  const verification = isObject(entry?.['verification']) ? entry['verification'] : {};
  const proof = isObject(verification['inclusionProof']) ? verification['inclusionProof'] : undefined;
  const promise = textOf(verification['signedEntryTimestamp']);
  const [body, logId] = [textOf(entry?.['body']), textOf(entry?.['logID'])];
  if (entry === undefined || body === undefined || logId === undefined) {
    throw new UserError(`${rekor} answered without an entry`, { remedy: AGAIN });
  }
  return {
    logIndex: String(entry['logIndex']),
    logId: { keyId: base64(logId) },
    kindVersion: { kind: proposed.kind, version: proposed.apiVersion },
    integratedTime: String(entry['integratedTime']),
    ...(promise !== undefined && { inclusionPromise: { signedEntryTimestamp: promise } }),
    ...(proof !== undefined && {
      inclusionProof: {
        logIndex: String(proof['logIndex']),
        rootHash: base64(textOf(proof['rootHash']) ?? ''),
        treeSize: String(proof['treeSize']),
        hashes: textList(proof['hashes']).map(base64),
        checkpoint: { envelope: textOf(proof['checkpoint']) ?? '' },
      },
    }),
    canonicalizedBody: body,
  };
}

/** A time stamp of RFC 3161 of the signature, in base64. */
async function stamped(signature: Buffer, tsa: string, host: SigstoreHost): Promise<string> {
  const artifactHash = createHash('sha256').update(signature).digest('base64');
  const request = { artifactHash, hashAlgorithm: 'sha256', certificates: true };
  const { body } = await post(`${tsa}/api/v1/timestamp`, request, "GitHub's time stamp authority", host);
  return body.toString('base64');
}

async function post(url: string, body: object, what: string, host: SigstoreHost) {
  const answer = await ask({ url, method: 'POST', body, headers: { accept: '*/*' } }, { what, remedy: AGAIN }, host);
  if (answer.status === 200 || answer.status === 201) return answer;
  const said = jsonOf(answer);
  const message = isObject(said) ? (textOf(said['message']) ?? '') : answer.body.toString();
  throw new UserError(`${what} answers ${answer.status}: ${message.slice(0, 300)}`, { remedy: AGAIN });
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
