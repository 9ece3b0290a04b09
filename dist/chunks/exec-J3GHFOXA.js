import{createRequire as __require}from'node:module';const require=__require(import.meta.url);
import{e as a,f as b}from"./chunk-ZSEFMIXL.js";import"./chunk-MBDNABWC.js";export{a as exec,b as getExecOutput};
