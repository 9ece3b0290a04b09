import { createHash } from 'node:crypto';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { ask, jsonOf, serviceUrl } from '../http/ask.ts';
import { textOf } from '../packages/values.ts';
import { isObject } from '../project/json.ts';
import { filesOf, zipOf } from './zip.ts';

// GitHub's library for this, with Azure's for the storage, would be 500 kB (gzipped) that every job downloads; spoken
// are two calls of the artifact service and the blocks of Azure's storage.

/** An artifact of the run. */
export interface Artifact {
  readonly name: string;
  readonly files: number;
  /** Of the archive. */
  readonly bytes: number;
  /** `sha256:…` of the archive, by which GitHub names it too. */
  readonly digest: string;
  /** Address of its page. */
  readonly url: string;
}

/** What is uploaded under which name. */
export interface ToUpload {
  /** Folder or file, absolute, and as the user named it. */
  readonly path: string;
  readonly shown: string;
  readonly name: string;
}

type UploadHost = Pick<Host, 'env' | 'info' | 'clock' | 'signal' | 'mask'>;

/** Azure takes 50,000 blocks of up to 4000 MiB; this much of the archive is in memory at a time. */
const BLOCK = 8 * 1024 ** 2;
/** Zip knows no time before it. */
const TIME = new Date('1980-01-01T12:00:00Z');
const REMEDY = 'Run the job again; see githubstatus.com where it stays so.';

/**
 * Uploads a folder as an artifact of the run, to be found on the run's page and by actions/download-artifact.
 * @throws UserError when there is nothing to upload, or the service refuses
 */
export async function uploadArtifact({ path, shown, name }: ToUpload, host: UploadHost): Promise<Artifact> {
  const files = await filesOf(path, shown);
  const { env, info } = host;
  const token = env['ACTIONS_RUNTIME_TOKEN'] ?? '';
  if (token === '' || !env['ACTIONS_RESULTS_URL']) {
    throw new UserError('the runner offers no artifact service of version 4', {
      remedy: 'GitHub Enterprise Server has none yet: use actions/upload-artifact@v3 there.',
    });
  }
  host.mask(token);
  const service = new URL(serviceUrl(env, 'ACTIONS_RESULTS_URL', '')).origin;
  const [run, job] = backendIds(token);
  const call = async (method: string, body: object): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await ask(
      {
        url: `${service}/twirp/github.actions.results.api.v1.ArtifactService/${method}`,
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: { workflow_run_backend_id: run, workflow_job_run_backend_id: job, name, ...body },
      },
      { what: "GitHub's artifact service", remedy: REMEDY },
      host,
    );
    const value = jsonOf(answer);
    if (answer.status === 200 && isObject(value) && value['ok'] === true) return value;
    throw refused(answer.status, isObject(value) ? textOf(value['msg']) : undefined, name);
  };

  const target = textOf((await call('CreateArtifact', { version: 4 }))['signed_upload_url']) ?? '';
  if (URL.parse(target) === null)
    throw new UserError("GitHub's artifact service named no place to upload to", { remedy: REMEDY });
  host.mask(target);
  const hash = createHash('sha256');
  const blocks: string[] = [];
  let bytes = 0;
  for await (const block of inBlocks(zipOf(files, TIME))) {
    hash.update(block);
    bytes += block.length;
    const id = Buffer.from(String(blocks.length).padStart(8, '0')).toString('base64');
    await put(target, `comp=block&blockid=${encodeURIComponent(id)}`, block, host);
    blocks.push(id);
  }
  // https://learn.microsoft.com/rest/api/storageservices/put-block-list
  const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks.map((id) => `<Latest>${id}</Latest>`).join('')}</BlockList>`;
  await put(target, 'comp=blocklist', new TextEncoder().encode(list), host);
  const digest = `sha256:${hash.digest('hex')}`;
  const made = await call('FinalizeArtifact', { size: String(bytes), hash: digest });
  const id = String(made['artifact_id']);
  return { name, files: files.length, bytes, digest, url: `${info.runUrl}/artifacts/${id}` };
}

async function put(target: string, query: string, body: Uint8Array<ArrayBuffer>, host: UploadHost): Promise<void> {
  const url = `${target}${target.includes('?') ? '&' : '?'}${query}`;
  const headers = { 'content-type': 'application/zip', 'x-ms-blob-content-type': 'application/zip' };
  const manners = { what: "GitHub's artifact storage", remedy: REMEDY, timeout: 120_000 };
  const { status } = await ask({ url, method: 'PUT', headers, body }, manners, host);
  if (status !== 201 && status !== 200) throw new UserError(`${manners.what} answers ${status}`, { remedy: REMEDY });
}

/** A stream in pieces of one size, but for the last. */
async function* inBlocks(stream: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    held.push(chunk);
    size += chunk.length;
    if (size < BLOCK) continue;
    const all = Buffer.concat(held);
    for (let at = 0; at + BLOCK <= all.length; at += BLOCK) yield new Uint8Array(all.subarray(at, at + BLOCK));
    const rest = all.subarray(all.length - (all.length % BLOCK));
    [held, size] = [[rest], rest.length];
  }
  if (size > 0) yield new Uint8Array(Buffer.concat(held));
}

/** The scope `Actions.Results:<run>:<job>` of the runner's token says for whom artifacts are kept. */
function backendIds(token: string): readonly [string, string] {
  const claims: unknown = jsonOf({
    status: 200,
    headers: new Headers(),
    body: Buffer.from(token.split('.')[1] ?? '', 'base64url'),
  });
  const scopes = isObject(claims) ? (textOf(claims['scp']) ?? '') : '';
  const [, run, job] = /(?:^| )Actions\.Results:([\w-]+):([\w-]+)(?: |$)/.exec(scopes) ?? [];
  if (run === undefined || job === undefined)
    throw new UserError('the token of the runner names no run, so no artifact can be kept', { remedy: REMEDY });
  return [run, job];
}

function refused(status: number, said: string | undefined, name: string): UserError {
  if (status === 409) {
    return new UserError(`this run has an artifact ${JSON.stringify(name)} already`, {
      remedy: 'Give each job of a matrix a name of its own by the input artifact-name.',
    });
  }
  return new UserError(
    `GitHub's artifact service answers ${status}${said === undefined ? '' : `: ${said.slice(0, 300)}`}`,
    {
      remedy:
        status === 403 || status === 429 ? 'Look whether the storage of artifacts is used up, under Billing.' : REMEDY,
    },
  );
}
