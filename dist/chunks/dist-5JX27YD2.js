import{createRequire as __require}from'node:module';const require=__require(import.meta.url),__dirname=import.meta.dirname;
import{a,b,c,d,e}from"./chunk-AF2BLZYI.js";import"./chunk-OPTNZQCU.js";export{b as TomlDate,a as TomlError,e as default,c as parse,d as stringify};
