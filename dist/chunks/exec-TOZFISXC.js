import{createRequire as __require}from'node:module';const require=__require(import.meta.url),__dirname=import.meta.dirname;
import{e as a,f as b}from"./chunk-RED7ULJ5.js";import"./chunk-OPTNZQCU.js";export{a as exec,b as getExecOutput};
