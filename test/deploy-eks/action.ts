import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const bundle = path.resolve(import.meta.dirname, '../../dist/deploy-eks/index.js');

export interface Ended {
  readonly exitCode: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** A run of the bundle: `said` resolves once its log holds a text, `ended` when it is over. */
export interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  said(text: string): Promise<void>;
}

/** Starts deploy-eks as the runner does, in a workspace of its own unless one is given. */
export function start(
  inputs: Readonly<Record<string, string>>,
  { workspace, env = {} }: { readonly workspace: string; readonly env?: Readonly<Record<string, string>> },
): Run {
  const folder = mkdtempSync(path.join(tmpdir(), 'deploy-eks-run-'));
  const files = { output: path.join(folder, 'output'), summary: path.join(folder, 'summary') };
  for (const file of Object.values(files)) writeFileSync(file, '');
  const given = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const child = spawn(process.execPath, [bundle], {
    env: {
      ...Object.fromEntries(given),
      GITHUB_WORKSPACE: workspace,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      RUNNER_TEMP: folder,
      ...env,
    },
  });
  let log = '';
  let waiting: { text: string; heard: () => void }[] = [];
  const hear = (data: Buffer): void => {
    log += data.toString();
    for (const { heard } of waiting.filter(({ text }) => log.includes(text))) heard();
    waiting = waiting.filter(({ text }) => !log.includes(text));
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (exitCode) => {
      resolve({
        exitCode,
        log,
        outputs: readOutputs(readFileSync(files.output, 'utf8')),
        summary: readFileSync(files.summary, 'utf8'),
      });
      rmSync(folder, { recursive: true, force: true });
    });
  });
  const said = async (text: string): Promise<void> => {
    const heard = new Promise<'heard'>((resolve) => {
      if (log.includes(text)) resolve('heard');
      else waiting.push({ text, heard: () => resolve('heard') });
    });
    if ((await Promise.race([heard, ended])) !== 'heard') throw new Error(`it ended without saying ${text}:\n${log}`);
  };
  return { child, ended, said };
}

/** The runner's file of outputs: `name<<delimiter`, lines, `delimiter`. */
function readOutputs(text: string): Record<string, string> {
  const found = [...text.matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n?\2$/gm)];
  return Object.fromEntries(found.map(([, name = '', , value = '']) => [name, value]));
}
