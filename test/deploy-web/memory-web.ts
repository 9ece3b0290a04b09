import { createHash } from 'node:crypto';
import type { Host } from '../../src/action/host.ts';
import { parseInputs } from '../../src/action/inputs.ts';
import { Cancelled } from '../../src/action/errors.ts';
import { workflowLog } from '../../src/action/log.ts';
import type { Bucket } from '../../src/aws/s3.ts';
import { removePreview, rollBack } from '../../src/deploy-web/back.ts';
import { deploy } from '../../src/deploy-web/deploy.ts';
import { inputs } from '../../src/deploy-web/inputs.ts';
import { WebRecord } from '../../src/deploy-web/record.ts';
import type { Scene } from '../../src/deploy-web/scene.ts';
import { layoutOf } from '../../src/site/release.ts';
import { type Compression, contentOf, siteFile } from '../../src/site/scan.ts';
import { memoryBucket } from '../site/memory-bucket.ts';

export type Files = Readonly<Record<string, string>>;

export interface Step {
  readonly run?: number;
  readonly compress?: Compression;
  readonly to?: string;
  readonly timeout?: string;
  /** What is asked of the bucket in place of the one in memory. */
  readonly bucket?: Partial<Bucket>;
  /** Called when CloudFront is told; what it throws ends the run. */
  readonly onInvalidate?: () => void;
  readonly signal?: AbortSignal;
}

/** Several runs, one after the other, against one bucket in memory: for ends that a server cannot be made to meet on demand. */
export function memoryWeb(prefix = '') {
  const bucket = memoryBucket();
  const layout = layoutOf(prefix);
  const invalidated: string[] = [];
  let time = Date.UTC(2026, 10, 24, 9, 30);
  let runs = 100;

  const open = (step: Step): { scene: Scene; record: WebRecord } => {
    const clock = { now: () => time, sleep: async (ms: number) => void (time += ms) };
    time += 60_000;
    runs += 1;
    const { compress = 'none', to = '', timeout = '15m' } = step;
    const raw: Record<string, string> = { bucket: 'acme-web', region: 'eu-central-1', compress, to, timeout };
    const given = parseInputs(inputs, { get: (name) => raw[name] ?? '', mask: () => undefined });
    const signal = step.signal ?? new AbortController().signal;
    const info = { sha: '0123456789', runId: String(step.run ?? runs), runAttempt: '1', runUrl: '' };
    const log = workflowLog(() => undefined);
    const host = { env: {}, info, log, clock, signal } as unknown as Host;
    const record = new WebRecord(clock);
    const cloudFront: NonNullable<Scene['edge']>['cloudFront'] = {
      describe: async () => distribution,
      async invalidate(_, paths) {
        step.onInvalidate?.();
        invalidated.push(...paths);
        return 'I1';
      },
      isInvalidated: async () => true,
    };
    const distribution = { id: 'E1', domain: '', origins: [], fallbacks: [] };
    const scene: Scene = {
      given,
      host,
      record,
      layout,
      signal,
      progress: record.progress,
      bucket: { ...bucket, ...step.bucket },
      target: { action: 'deploy', bucket: 'acme-web', region: 'eu-central-1', prefix, preview: undefined },
      edge: { cloudFront, distribution, base: '/' },
    };
    return { scene, record };
  };
  const began = async (): Promise<void> => undefined;
  return {
    bucket,
    layout,
    /** Paths since the last look. */
    invalidated: () => invalidated.splice(0).toSorted(),
    text: (key: string) => bucket.objects.get(key)?.toString(),
    now: () => time,
    wait: (ms: number) => void (time += ms),
    async deploy(site: Files, step: Step = {}) {
      const { scene, record } = open(step);
      const files = Object.entries(site).map(([path, text]) => {
        const source = Buffer.from(text);
        const sha256 = createHash('sha256').update(source).digest('hex');
        const options = { compress: step.compress ?? 'none', immutable: [] };
        return siteFile({ path, sha256, bytes: source.length, source }, options);
      });
      const verdict = await deploy(scene, { files, content: contentOf(files), rootBound: false }, began);
      return { verdict, record, id: record.release?.id ?? '' };
    },
    async rollBack(step: Step = {}) {
      const { scene, record } = open(step);
      return { verdict: await rollBack(scene, began), record, id: record.release?.id ?? '' };
    },
    async remove(step: Step = {}) {
      const { scene, record } = open(step);
      return { verdict: await removePreview(scene), record };
    },
    /** A bucket whose copies fail from the nth on, as when the job is cancelled between two of them. */
    breaking(after: number): Partial<Bucket> {
      let copies = 0;
      return {
        async copy(from, to) {
          copies += 1;
          if (copies > after) throw new Cancelled('SIGINT');
          return bucket.copy(from, to);
        },
      };
    },
  };
}
