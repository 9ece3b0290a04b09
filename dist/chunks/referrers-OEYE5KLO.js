import{createRequire as __require}from'node:module';const require=__require(import.meta.url);
import{a,b}from"./chunk-MCJP7PTR.js";import"./chunk-7ZAHA2LP.js";import"./chunk-Z3UQQZD2.js";import"./chunk-2KHECURR.js";import"./chunk-MBDNABWC.js";export{a as attach,b as referrers};
