import{createRequire as __require}from'node:module';const require=__require(import.meta.url),__dirname=import.meta.dirname;
import{a,b}from"./chunk-TN2YDJVM.js";import"./chunk-ZWQDK3XJ.js";import"./chunk-PMVN66PG.js";import"./chunk-E7SUWU2N.js";import"./chunk-OPTNZQCU.js";export{a as attach,b as referrers};
