/** Settings of the environment that the page runs in: the build is the same in all of them. */
export interface Config {
  /** What the environment is called. */
  readonly SITE: string;
  /** Where shipments are asked for; without it, a sample beside the page. */
  readonly API_URL?: string;
}

/** Asked for when the page starts, relative to it. */
export async function readConfig(): Promise<Config> {
  const answer = await fetch('./config.json', { cache: 'no-cache' });
  if (!answer.ok) throw new Error(`config.json answers ${answer.status}`);
  return (await answer.json()) as Config;
}

export function shipmentsAt({ API_URL: api }: Config): string {
  return api === undefined ? './shipments.json' : `${api.replace(/\/$/, '')}/shipments`;
}
