export const id = 90;
export const ids = [90];
export const modules = {

/***/ 9090:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   DescribeClusterCommand: () => (/* reexport safe */ _aws_sdk_client_eks__WEBPACK_IMPORTED_MODULE_0__.h),
/* harmony export */   EKSClient: () => (/* reexport safe */ _aws_sdk_client_eks__WEBPACK_IMPORTED_MODULE_1__.J),
/* harmony export */   ListClustersCommand: () => (/* reexport safe */ _aws_sdk_client_eks__WEBPACK_IMPORTED_MODULE_2__.N)
/* harmony export */ });
/* harmony import */ var _aws_sdk_client_eks__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(759);
/* harmony import */ var _aws_sdk_client_eks__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(7640);
/* harmony import */ var _aws_sdk_client_eks__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(809);
// All of the SDK that is used, so that the bundle holds no more: what an import() takes apart is kept whole.



/***/ })

};
