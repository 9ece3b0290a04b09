import { UserError, describe, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { attach, referrers } from '../container/referrers.ts';
import type { Reference } from '../container/reference.ts';
import type { Auths } from '../container/registry.ts';
import { ask, jsonOf } from '../http/ask.ts';
import { isObject } from '../project/json.ts';
import { AGAIN, BUNDLE_TYPE, type Bundle, servicesFor, signer } from './sigstore.ts';
import type { Attest } from './when.ts';
import { COSIGN_SIGNATURE, type Predicate, claimsOf, provenance, statement } from './statement.ts';

/** What is wanted of an image. */
export interface Wanted {
  readonly image: Reference & { readonly digest: string };
  readonly auths: Auths;
  readonly attest: Attest;
  /** An earlier run built it, which alone can attest how; a signature says no more than who it comes from. */
  readonly reused: boolean;
  /** A signature by itself, as `cosign sign` makes it. */
  readonly sign: boolean;
  /** Token of GitHub's API. */
  readonly token: string;
  /** More to say than where the image comes from, such as its SBOM. */
  readonly predicates: readonly Predicate[];
}

/** What was attested, or why nothing was. */
export interface Attested {
  /** Types of the predicates that were signed. */
  readonly signed: readonly string[];
  /** Address of GitHub's page of the provenance. */
  readonly page?: string;
  /** A sentence where something was left out. */
  readonly skipped?: string;
}

/** Events whose code nobody has accepted yet: what they build must not pass for ours. */
const UNTRUSTED: ReadonlySet<string> = new Set(['pull_request', 'pull_request_target']);
const EARLIER = 'The image is that of an earlier run, which alone can attest how it was built.';
const PREDICATE_TYPE = 'dev.sigstore.bundle.predicateType';
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const NO_RIGHT = 'the job may not ask for an identity token: `id-token: write` is not among its permissions';

/**
 * Says who built an image out of what, signed by the job's own identity: kept by GitHub, and in the registry beside the
 * image. With `auto` nothing of this stops a build; with `true`, or a signature that was asked for, whatever fails does.
 * @throws UserError when it was asked for and is not possible
 */
export async function attestImage(wanted: Wanted, host: Host): Promise<Attested> {
  const must = wanted.attest === 'true' || wanted.sign;
  if (wanted.attest === 'false' && !wanted.sign) return { signed: [] };
  if (wanted.reused && !must) return { signed: [], skipped: EARLIER };
  const reason = reasonToSkip(host);
  if (reason !== undefined) {
    if (must && reason === NO_RIGHT) throw missingRight(reason);
    return { signed: [], skipped: `The image is not attested: ${reason}.` };
  }
  if (wanted.reused && wanted.attest === 'true') await checkEarlier(wanted, host);
  try {
    return await attestAll(wanted, host);
  } catch (error) {
    host.signal.throwIfAborted();
    if (must) throw error;
    if (error instanceof MissingRight) host.log.info(describe(error));
    else
      host.log.warning(`the image is not attested: ${error instanceof UserError ? describe(error) : messageOf(error)}`);
    return { signed: [], skipped: `The image is not attested: ${messageOf(error)}` };
  }
}

/** An image whose run failed to attest it, or was a pull request's, must not pass for one that is. */
async function checkEarlier({ image, auths }: Wanted, host: Host): Promise<void> {
  const found = await referrers(image, auths, host, BUNDLE_TYPE);
  if (found.some(({ annotations }) => annotations?.[PREDICATE_TYPE] === PROVENANCE)) return;
  throw new UserError(
    'attest is true, but the image of this content is that of an earlier run, which did not attest it',
    {
      remedy:
        'Set cache to false for this run, which builds it anew; set push to false for pull requests, whose images are never attested.',
    },
  );
}

function reasonToSkip({ env, info }: Host): string | undefined {
  if (UNTRUSTED.has(info.eventName)) return 'this is a pull request';
  if (!env['ACTIONS_ID_TOKEN_REQUEST_URL']) return NO_RIGHT;
  return undefined;
}

async function attestAll(wanted: Wanted, host: Host): Promise<Attested> {
  const { image, auths, attest, reused, sign, token, predicates } = wanted;
  const { info } = host;
  if (reused && !sign) return { signed: [], skipped: EARLIER };
  const value = await host.idToken('sigstore').catch((error: unknown) => {
    host.signal.throwIfAborted();
    throw error instanceof UserError
      ? error
      : new UserError(`GitHub gives no identity token: ${messageOf(error)}`, { remedy: AGAIN, cause: error });
  });
  host.mask(value);
  const claims = claimsOf(value);
  const visibility = claims['repository_visibility'] ?? '';
  const services = servicesFor(visibility, info.serverUrl, host.env);
  const signed = await signer({ value, subject: claims['sub'] ?? '' }, services, host);
  const subject = { name: `${image.registry}/${image.repository}`, digest: image.digest };

  let page: string | undefined;
  const types: string[] = [];
  const said = attest === 'false' || reused ? [] : [provenance(claims, info.serverUrl), ...predicates];
  for (const predicate of [...said, ...(sign ? [COSIGN_SIGNATURE] : [])]) {
    const bundle = await signed(statement(subject, predicate));
    if (predicate !== COSIGN_SIGNATURE) {
      const id = await store(bundle, token, host);
      page ??= `${info.serverUrl}/${info.repository}/attestations/${id}`;
    }
    await attach(image, referrer(bundle, predicate), auths, host);
    types.push(predicate.type);
  }
  return { signed: types, ...(page !== undefined && { page }) };
}

/** As cosign and GitHub's own action lay bundles beside images: https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md. */
function referrer(bundle: Bundle, { type }: Predicate) {
  return {
    type: BUNDLE_TYPE,
    content: new TextEncoder().encode(JSON.stringify(bundle)),
    annotations: { 'dev.sigstore.bundle.content': 'dsse-envelope', [PREDICATE_TYPE]: type },
  };
}

/** https://docs.github.com/rest/repos/attestations#create-an-attestation. */
async function store(bundle: Bundle, token: string, host: Host): Promise<number> {
  const { apiUrl, repository } = host.info;
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
  };
  const manners = { what: "GitHub's API", remedy: AGAIN };
  const url = `${apiUrl}/repos/${repository}/attestations`;
  const answer = await ask({ url, method: 'POST', body: { bundle }, headers }, manners, host);
  const value = jsonOf(answer);
  if (answer.status === 201 && isObject(value) && typeof value['id'] === 'number') return value['id'];
  if (answer.status === 403 || answer.status === 404) {
    throw missingRight(
      'GitHub does not let the job keep attestations: `attestations: write` is not among its permissions, or the plan of a private repository has none',
    );
  }
  throw new UserError(`GitHub did not keep the attestation: it answers ${answer.status}`, { remedy: manners.remedy });
}

/** What `auto` takes for the wish of a team that did not give the right. */
class MissingRight extends UserError {}

function missingRight(reason: string): MissingRight {
  return new MissingRight(`the image is not attested: ${reason}`, {
    remedy:
      'Add to the job, and to the job of the calling workflow:\n  permissions:\n    id-token: write\n    attestations: write\n  or set attest to false.',
  });
}
