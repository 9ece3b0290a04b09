import { cache } from './cache.ts';
import type { LabFacts } from './part.ts';
import { PYTHON, bringBaseImage } from './parts/base-image.ts';

/** Brings the base image of Python projects into the lab's engine, which only their builds need. */
export async function bringPythonBase(images: LabFacts['images']): Promise<void> {
  if (images === undefined) throw new Error('the lab builds no images');
  const env = { ...process.env, DOCKER_HOST: images.dockerHost, DOCKER_CONFIG: images.dockerConfig };
  const progress = (message: string): void => void process.stderr.write(`images: ${message}\n`);
  await bringBaseImage(PYTHON, env, { cache, progress });
}
