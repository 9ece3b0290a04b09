import { main } from '../action/main.ts';
import { deployEks } from './run.ts';

await main(deployEks);
