import type { Action } from '../action/action.ts';
import { Failed, UserError, messageOf } from '../action/errors.ts';
import { unlessAborted } from '../action/grace.ts';
import type { Host } from '../action/host.ts';
import { trackedDeployment } from '../github/deployments.ts';
import { readEvent } from '../github/event.ts';
import { removePreview, rollBack } from './back.ts';
import { deploy, readSite } from './deploy.ts';
import { type WebInputs, inputs } from './inputs.ts';
import { type Target, addressOf, planTarget } from './plan.ts';
import { WebRecord, type Verdict } from './record.ts';
import { summary } from './report.ts';
import { openScene } from './scene.ts';

const OUTPUTS = ['url', 'release', 'content', 'uploaded', 'unchanged', 'verdict', 'invalidation'] as const;
type Outputs = Partial<Record<(typeof OUTPUTS)[number], string>>;

/** The action deploy-web. */
export const deployWeb: Action<typeof inputs, (typeof OUTPUTS)[number]> = {
  name: 'deploy-web',
  inputs,
  outputs: OUTPUTS,
  run: deliverAndTell,
};

async function deliverAndTell(given: WebInputs, host: Host): Promise<Outputs> {
  const record = new WebRecord(host.clock);
  const told = { environment: given.environment, url: given.url, info: host.info, record, bucket: given.bucket };
  try {
    const target = planTarget(given, host.env, { name: host.info.eventName, payload: await readEvent(host.info) });
    const url = addressOf(given.url, target);
    const verdict = await deliver(given, host, target, record);
    await host.summarize(summary({ ...told, url, preview: target.preview, verdict }));
    return outputsOf(verdict, record, verdict === 'removed' || verdict === 'checked' ? '' : url);
  } catch (error) {
    throw await failed(error, given, host, record, (verdict, fault) =>
      host.summarize(summary({ ...told, preview: undefined, verdict, fault })),
    );
  }
}

/** The end of a run that failed, told on its page, with the outputs that still count. */
async function failed(
  error: unknown,
  given: WebInputs,
  host: Host,
  record: WebRecord,
  tell: (verdict: Verdict, fault: UserError) => Promise<void>,
): Promise<unknown> {
  const isCancelled = host.signal.aborted && !(error instanceof Failed);
  const fault = isCancelled ? cancelled(record, given) : error instanceof UserError ? error : unexpected(error);
  const verdict = isCancelled
    ? 'cancelled'
    : fault instanceof Failed
      ? (fault.outputs['verdict'] as Verdict)
      : 'failed';
  await tell(verdict, fault);
  if (!isCancelled && fault !== error) return error;
  const { message, remedy, place, problems } = fault;
  const details = {
    cause: error,
    ...(remedy === undefined ? {} : { remedy }),
    ...(place === undefined ? {} : { place }),
    ...(problems.length > 1 ? { problems } : {}),
  };
  return new Failed(message, outputsOf(verdict, record, ''), details);
}

async function deliver(given: WebInputs, host: Host, target: Target, record: WebRecord): Promise<Verdict> {
  // All that can be wrong on this machine is told before AWS is asked.
  const site = target.action === 'deploy' ? await unlessAborted(readSite(given, host, record), host.signal) : undefined;
  const { environment, githubToken: token } = given;
  const url = addressOf(given.url, target);
  return trackedDeployment(host, { environment, url, token }, async (tracker) => {
    const scene = await unlessAborted(openScene(given, host, target, record), host.signal);
    const began = async (): Promise<void> => tracker.start();
    if (site !== undefined) return deploy(scene, site, began);
    return target.action === 'rollback' ? rollBack(scene, began) : removePreview(scene);
  });
}

/** What nobody foresaw leaves visitors somewhere too, and the page says where. */
function unexpected(error: unknown): UserError {
  return new UserError(`unexpected: ${messageOf(error)}`, {
    remedy: 'This is a fault of the action: run the job again, and report it where it stays.',
  });
}

function cancelled({ visible, progress, toSwitch, isServed, previous }: WebRecord, { action }: WebInputs): UserError {
  const again = 'Run the job again to finish: what is uploaded is not sent twice.';
  if (action === 'remove') return new UserError('cancelled', { remedy: 'Run the job again to finish.' });
  if (isServed || visible === 'new') {
    const remedy = 'Run the job again, so that CloudFront is told as well.';
    return new UserError('cancelled: the new release is in place, but CloudFront may still serve old pages', {
      remedy,
    });
  }
  if (visible === 'old')
    return new UserError('cancelled: visitors get the old release, whole as before', { remedy: again });
  return new UserError(`cancelled: ${progress.switched} of ${toSwitch} files are those of the new release already`, {
    remedy: previous === undefined ? again : `${again} Or go back with action: rollback, to: ${previous.id}.`,
  });
}

function outputsOf(verdict: Verdict, record: WebRecord, url: string): Record<string, string> {
  return {
    verdict,
    url,
    release: record.release?.id ?? '',
    content: record.release?.content ?? '',
    uploaded: String(record.progress.uploaded),
    unchanged: String(record.unchanged),
    invalidation: record.invalidation?.id ?? '',
  };
}
