import{createRequire as __require}from'node:module';const require=__require(import.meta.url),__dirname=import.meta.dirname;
import{a}from"./chunk-SDXAHRT7.js";import"./chunk-T4JQ6A3R.js";import"./chunk-PQELPDH5.js";import"./chunk-PMVN66PG.js";import"./chunk-E7SUWU2N.js";import"./chunk-OPTNZQCU.js";export{a as uploadArtifact};
