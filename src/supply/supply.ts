import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError, describe } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { Attested } from '../attest/attest.ts';
import type { Predicate } from '../attest/statement.ts';
import type { AuditOutcome } from '../audit/run.ts';
import type { Reference } from '../container/reference.ts';
import type { Auths } from '../container/registry.ts';
import type { Ecosystem, PackageSet } from '../packages/package.ts';
import type { Locked } from '../packages/read.ts';
import type { Project } from '../project/project.ts';
import type { SupplyInputs } from './inputs.ts';

/** What the summary tells of the supply chain. */
export interface SupplyReport {
  readonly packages?: number;
  readonly audit?: AuditOutcome;
  /** Folder of the SBOM's files. */
  readonly sbom?: string;
  /** Whether the SBOM lies beside the image in the registry. */
  readonly sbomAttached?: boolean;
  readonly attested?: Attested;
  /** What the registry's own scan of the image found, by its words for severity. */
  readonly scanned?: Readonly<Record<string, number>>;
  /** Sentences on what could not be done. */
  readonly notes: readonly string[];
}

/** An image in a registry, and whether this build made it. */
export interface Delivered {
  readonly image: Reference & { readonly digest: string };
  readonly auths: Auths;
  readonly reused: boolean;
  /** What the registry's own scan found, by its words for severity. */
  readonly scan?:
    | ((digest: string, patience: number) => Promise<Readonly<Record<string, number>> | undefined>)
    | undefined;
}

/** What a build knows and says of where its result comes from. */
export interface Supply {
  /** What is known by now. */
  readonly report: SupplyReport;
  /** Waits for the look at known vulnerabilities. @throws UserError when one of them stops the build */
  gate(): Promise<void>;
  /** Writes the SBOM; with an image attaches it and attests what was built. */
  deliver(delivered?: Delivered): Promise<void>;
  /** Gives up what nobody waits for any more: a database that does not answer must not hold a build that has ended. */
  close(): void;
}

/** Where the packages of a project stand. */
export interface SupplySource {
  readonly ecosystem: Ecosystem;
  readonly locked?: Locked;
  /** The image's or the project's name. */
  readonly name: string;
}

/** How long a scan that has begun with the push is waited for, where the team has asked for a gate. */
const SCAN_MS = 60_000;
const SBOM_TYPES = { cyclonedx: 'application/vnd.cyclonedx+json', spdx: 'application/spdx+json' } as const;

/**
 * Reads the packages of a project and begins to look for known vulnerabilities, beside what the build does meanwhile.
 * @throws UserError when the lockfile cannot be read and the level is a gate
 */
export async function openSupply(
  given: SupplyInputs,
  source: SupplySource,
  project: Project,
  host: Host,
): Promise<Supply> {
  const report: { -readonly [K in keyof SupplyReport]: SupplyReport[K] } & { notes: string[] } = { notes: [] };
  const { auditLevel: level, auditIgnore } = given;
  const isGate = level !== 'off' && level !== 'none';
  const set = await packagesOf(source, project, given.sbom || level !== 'off', isGate, report.notes);
  if (set !== undefined) report.packages = set.packages.length;
  const over = new AbortController();
  const beside = { ...host, signal: AbortSignal.any([host.signal, over.signal]) };
  const looking =
    set === undefined || level === 'off' || set.packages.length === 0
      ? undefined
      : import('../audit/run.ts').then(async ({ auditPackages }) =>
          auditPackages(set, { level, ignores: auditIgnore }, beside),
        );
  // It is awaited only once the checks are done.
  looking?.catch(() => undefined);

  return {
    report,
    close: () => over.abort(),
    async gate() {
      if (looking === undefined || set === undefined || level === 'off') return;
      report.audit = await looking;
      if (level === 'none' || report.audit.stopping.length === 0) return;
      const { problemOf } = await import('../audit/run.ts');
      throw UserError.all(
        report.audit.stopping.map((finding) =>
          problemOf(finding, path.posix.join(source.locked?.root ?? '', set.lockfile), level),
        ),
        `known vulnerabilities at or above ${level}`,
      );
    },

    async deliver(delivered) {
      const documents = set === undefined || !given.sbom ? undefined : await sbomOf(source.name, set, project, host);
      if (documents !== undefined) report.sbom = await write(documents, host);
      if (delivered === undefined) return;
      if (documents !== undefined && !delivered.reused) {
        report.sbomAttached = await attachAll(documents, delivered, host, report.notes);
      }
      await attest(given, delivered, documents, report, host);
      if (level === 'off') return;
      const scanned = await delivered.scan?.(delivered.image.digest, isGate ? SCAN_MS : 0);
      if (scanned !== undefined) report.scanned = scanned;
    },
  };
}

type Documents = Readonly<Record<keyof typeof SBOM_TYPES, object>>;

async function packagesOf(
  { ecosystem, locked }: SupplySource,
  project: Project,
  wanted: boolean,
  isGate: boolean,
  notes: string[],
): Promise<PackageSet | undefined> {
  if (!wanted) return undefined;
  const { readPackages, whyNoPackages } = await import('../packages/read.ts');
  const read = (file: string): string | undefined => project.read(path.posix.join(locked?.root ?? '', file));
  try {
    const set = await readPackages(
      ecosystem,
      { read, ...(locked?.member && { member: locked.member }) },
      locked?.lockfile,
    );
    if (set !== undefined) return set;
    if (isGate)
      throw new UserError(whyNoPackages(ecosystem, read), { remedy: 'Commit a lockfile, or set audit-level to none.' });
    notes.push(whyNoPackages(ecosystem, read));
  } catch (error) {
    if (isGate || !(error instanceof UserError)) throw error;
    notes.push(describe(error));
  }
  return undefined;
}

async function sbomOf(name: string, set: PackageSet, { directory }: Project, host: Host): Promise<Documents> {
  const { cycloneDx, spdx } = await import('../sbom/documents.ts');
  const { repository, serverUrl, sha } = host.info;
  const { stdout } = await host.exec
    .ask('git', ['log', '-1', '--format=%ct'], { cwd: directory })
    .catch(() => ({ stdout: '' }));
  const subject = {
    name,
    version: sha || '0',
    ...(repository !== '' && { repository: `${serverUrl}/${repository}` }),
    commitTime: Number(stdout.trim()) || 0,
  };
  return { cyclonedx: cycloneDx(subject, set), spdx: spdx(subject, set) };
}

async function write(documents: Documents, { info }: Host): Promise<string> {
  const folder = path.join(info.temp, 'sbom');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'sbom.cdx.json'), JSON.stringify(documents.cyclonedx, undefined, 1));
  await writeFile(path.join(folder, 'sbom.spdx.json'), JSON.stringify(documents.spdx, undefined, 1));
  return folder;
}

/** An image without its SBOM beside it serves all the same, so a registry that takes none is a note. */
async function attachAll(
  documents: Documents,
  { image, auths }: Delivered,
  host: Host,
  notes: string[],
): Promise<boolean> {
  const { attach } = await import('../container/referrers.ts');
  try {
    for (const kind of ['cyclonedx', 'spdx'] as const) {
      const content = new TextEncoder().encode(JSON.stringify(documents[kind]));
      await attach(image, { type: SBOM_TYPES[kind], content, annotations: {} }, auths, host);
    }
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    host.log.warning(`the SBOM does not lie beside the image: ${describe(error)}`);
    notes.push(`The SBOM does not lie beside the image: ${error.message}`);
    return false;
  }
}

async function attest(
  given: SupplyInputs,
  { image, auths, reused }: Delivered,
  documents: Documents | undefined,
  report: { attested?: Attested },
  host: Host,
): Promise<void> {
  if (given.attest === 'false' && !given.sign) return;
  const { attestImage } = await import('../attest/attest.ts');
  const predicates: readonly Predicate[] =
    documents === undefined ? [] : [{ type: 'https://cyclonedx.org/bom', content: documents.cyclonedx }];
  const wanted = {
    image,
    auths,
    attest: given.attest,
    reused,
    sign: given.sign,
    token: given.githubToken,
    predicates,
  };
  report.attested = await attestImage(wanted, host);
}
