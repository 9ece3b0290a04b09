import { main } from '../action/main.ts';
import { deployWeb } from './run.ts';

await main(deployWeb);
