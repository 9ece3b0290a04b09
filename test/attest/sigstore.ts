import { X509Certificate, createHash, generateKeyPairSync, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bundleFromJSON } from '@sigstore/bundle';
import {
  fulcioHandler,
  initializeCA,
  initializeCTLog,
  initializeTLog,
  initializeTSA,
  rekorHandler,
  tsaHandler,
} from '@sigstore/mock';
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify';

/**
 * A stand-in for Fulcio, Rekor and GitHub's time stamp authority, out of Sigstore's own `@sigstore/mock`: real
 * certificates, log entries and time stamps of keys that live as long as the test. It checks no identity token.
 */
export interface Sigstore {
  readonly env: Readonly<Record<'FULCIO_URL' | 'REKOR_URL' | 'TSA_URL', string>>;
  /** Paths that were asked, in order. */
  readonly asked: readonly string[];
  /**
   * Checks a bundle as `gh attestation verify` and cosign do, with Sigstore's own verifier: certificate, certificate
   * log, signature, and transparency log or time stamp. @throws Error when any of it does not hold
   * @returns the subject of the certificate and the statement
   */
  verify(bundle: unknown, by: 'log' | 'stamp'): { readonly identity: string; readonly statement: Statement };
  /** Answers with this status in place of its own from now on. */
  fail(path: string, status: number): void;
  close(): Promise<void>;
}

export interface Statement {
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly predicateType: string;
  readonly predicate: Readonly<Record<string, unknown>>;
}

export async function sigstore(): Promise<Sigstore> {
  const asked: string[] = [];
  const failing = new Map<string, number>();
  const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ctlog = await initializeCTLog(keys());
  const ca = await initializeCA(keys(), ctlog);
  const tlog = await initializeTLog('https://rekor.sigstore.dev', keys());
  const tsa = await initializeTSA(keys());
  const log1 = rekorHandler(tlog);
  const handlers = [
    fulcioHandler(ca),
    { path: log1.path, fn: async (body: string) => log1.fn(JSON.stringify(entryOf(body))) },
    tsaHandler(tsa),
  ];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      asked.push(path);
      const status = failing.get(path);
      const found = handlers.find((one) => one.path === path);
      if (status !== undefined || found === undefined) {
        return void response.writeHead(status ?? 404).end(JSON.stringify({ message: 'the stand-in refuses' }));
      }
      const answer = async (): Promise<void> => {
        const { statusCode, response: body } = await found.fn(Buffer.concat(chunks).toString());
        response.writeHead(statusCode, { 'content-type': 'application/json' }).end(body);
      };
      void answer();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const start = new Date(Date.now() - 60_000);
  const log = (publicKey: Buffer, keyId: Buffer) => ({
    // The name under which the log signs its checkpoints.
    baseUrl: 'https://rekor.sigstore.dev',
    logId: { keyId },
    hashAlgorithm: 1,
    publicKey: { rawBytes: publicKey, keyDetails: 5, validFor: { start } },
    checkpointKeyId: undefined,
    operator: 'test',
  });
  const authority = (...certificates: ArrayBufferView[]) => ({
    subject: { commonName: 'sigstore', organization: 'test' },
    uri: '',
    certChain: {
      certificates: certificates.map(({ buffer, byteOffset, byteLength }) => ({
        rawBytes: Buffer.from(buffer, byteOffset, byteLength),
      })),
    },
    validFor: { start },
    operator: 'test',
  });
  const trust = toTrustMaterial({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    certificateAuthorities: [authority(ca.rootCertificate)],
    ctlogs: [log(ctlog.publicKey, Buffer.from(ctlog.logID.buffer, ctlog.logID.byteOffset, ctlog.logID.byteLength))],
    tlogs: [log(tlog.publicKey, createHash('sha256').update(tlog.publicKey).digest())],
    timestampAuthorities: [authority(tsa.intCertificate, tsa.rootCertificate)],
  });

  return {
    env: { FULCIO_URL: url, REKOR_URL: url, TSA_URL: url },
    asked,
    verify(bundle, by) {
      const parsed = bundleFromJSON(bundle);
      const thresholds = by === 'log' ? { tlogThreshold: 1 } : { tlogThreshold: 0, timestampThreshold: 1 };
      const { identity } = new Verifier(trust, { ctlogThreshold: 1, ...thresholds }).verify(toSignedEntity(parsed));
      const payload = parsed.content.$case === 'dsseEnvelope' ? parsed.content.dsseEnvelope.payload : Buffer.alloc(0);
      return {
        identity: identity?.subjectAlternativeName ?? '',
        statement: JSON.parse(payload.toString()) as Statement,
      };
    },
    fail: (path, status) => void failing.set(path, status),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * What Rekor keeps of an envelope that it is given (https://github.com/sigstore/rekor/tree/main/pkg/types/dsse), once
 * its signature holds; the mock would keep the request itself.
 */
function entryOf(body: string): object {
  const { apiVersion, kind, spec } = JSON.parse(body) as {
    apiVersion: string;
    kind: string;
    spec: { proposedContent: { envelope: string; verifiers: readonly [string] } };
  };
  const { envelope: text, verifiers } = spec.proposedContent;
  const envelope = JSON.parse(text) as { payload: string; payloadType: string; signatures: readonly [{ sig: string }] };
  const [[verifier], [{ sig }]] = [verifiers, envelope.signatures];
  const payload = Buffer.from(envelope.payload, 'base64');
  const head = `DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `;
  const key = new X509Certificate(Buffer.from(verifier, 'base64')).publicKey;
  const isValid = verify('sha256', Buffer.concat([Buffer.from(head), payload]), key, Buffer.from(sig, 'base64'));
  if (!isValid) throw new Error('the signature of the envelope does not hold');
  const hash = (data: string | Buffer) => ({
    algorithm: 'sha256',
    value: createHash('sha256').update(data).digest('hex'),
  });
  const signatures = [{ signature: sig, verifier }];
  return { apiVersion, kind, spec: { envelopeHash: hash(text), payloadHash: hash(payload), signatures } };
}
