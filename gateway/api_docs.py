"""API documentation at /docs (Swagger UI), with all scripts and styles from our own origin."""

from pathlib import Path
from typing import Final

import fastapi_offline
from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

STATIC: Final = Path(fastapi_offline.__file__).parent / "static"
HEADERS: Final = {
    # Swagger UI sets inline styles; nothing comes from elsewhere, and no script is inline.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Xinqiao 信桥 API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/static/swagger-ui.css">
<link rel="stylesheet" href="/docs/contrast.css">
</head>
<body>
<main id="swagger-ui"></main>
<script src="/docs/static/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START: Final = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true,
  // Calls need a DPoP proof, which a page like this cannot make: `xinqiao curl` can.
  supportedSubmitMethods: [], validatorUrl: null,
  plugins: [({React}) => ({wrapComponents: {
    InfoContainer: (Info) => (given) => [
      React.createElement(Info, {...given, key: "info"}),
      React.createElement("h2", {className: "wrapper", key: "calls"}, "接口 Calls"),
    ],
    authorizeBtn: () => () => null,
    authorizeOperationBtn: () => () => null,
    ExamplesSelect: (Select) => (given) => React.createElement("label", null,
      React.createElement("span", {className: "unseen"}, "示例 Example"),
      React.createElement(Select, given)),
    // A link inside a button cannot be reached; the button opens, and sets the address.
    DeepLink: () => ({text}) => React.createElement("span", null, text),
  }})],
});
"""
CONTRAST: Final = """\
.swagger-ui .info .title small.version-stamp, .swagger-ui .info .title small {background: #3d5a00}
.swagger-ui .opblock.opblock-get .opblock-summary-method {background: #0b5cad}
.swagger-ui .opblock.opblock-post .opblock-summary-method {background: #14713f}
.swagger-ui .opblock.opblock-put .opblock-summary-method {background: #8a5200}
.swagger-ui .opblock.opblock-delete .opblock-summary-method {background: #b3261e}
.swagger-ui .opblock.opblock-patch .opblock-summary-method {background: #0b6b5e}
.swagger-ui .opblock.opblock-head .opblock-summary-method {background: #6d28a8}
.swagger-ui .scheme-container {display: none}
.swagger-ui .opblock-tag {flex-wrap: wrap}
.swagger-ui .opblock-tag > a, .swagger-ui .opblock-tag > span {flex: 1}
.swagger-ui .opblock-tag > small {flex-basis: 100%; order: 1; padding: 4px 0 0}
.swagger-ui .info .url {color: #1f5fae}
.swagger-ui .json-schema-2020-12-expand-deep-button {color: #595959}
.swagger-ui .parameters :disabled, .swagger-ui .response-col_links {display: none}
.swagger-ui .response-control-media-type__accept-message {display: none}
.swagger-ui .parameter__name.required span, .swagger-ui .parameter__name.required:after {color: #b3261e}
.swagger-ui .opblock-section-request-body h4 .required, .swagger-ui .opblock h4 small {color: #b3261e}
.swagger-ui .renderedMarkdown code, .swagger-ui .markdown code {color: #6d28a8; overflow-wrap: anywhere}
.swagger-ui table.headers .header-col {
  font: 400 13px/1.4 sans-serif; padding: 4px 8px 4px 0; vertical-align: top
}
.swagger-ui .highlight-code > .microlight {max-height: none}
.swagger-ui .microlight span[style*="211, 99, 99"] {color: #ff9d9d !important}
.swagger-ui .unseen {position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)}
.swagger-ui .response-controls {flex-wrap: wrap; gap: 8px}
.swagger-ui .parameter__in, .swagger-ui .tab li {color: #3b4151}
@media (max-width: 640px) {
  .swagger-ui :is(table.parameters, table.responses-table),
  .swagger-ui :is(table.parameters, table.responses-table) > tbody,
  .swagger-ui :is(table.parameters, table.responses-table) > tbody > tr,
  .swagger-ui :is(table.parameters, table.responses-table) > tbody > tr > td:not(.response-col_links) {
    display: block; width: auto; max-width: none; padding-left: 0
  }
  .swagger-ui :is(table.parameters, table.responses-table) > thead {display: none}
  .swagger-ui select {max-width: 100%}
}
"""

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs() -> HTMLResponse:
    """Show the API."""
    return HTMLResponse(PAGE, headers=HEADERS)


@router.get("/docs/start.js")
async def start() -> Response:
    """Start the viewer."""
    return Response(START, media_type="text/javascript", headers=HEADERS)


@router.get("/docs/contrast.css")
async def contrast() -> Response:
    """Corrections of Swagger UI's style sheet: pale colours (WCAG 2.2 AA, 1.4.3), narrow screens."""
    return Response(CONTRAST, media_type="text/css", headers=HEADERS)


def install(app: FastAPI) -> None:
    """Serve the page and its assets."""
    app.include_router(router)
    app.mount("/docs/static", StaticFiles(directory=STATIC), name="docs")
