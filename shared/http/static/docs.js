// Starts Swagger UI on this service's own document. A file of its own, because the page allows no inline script.
window.ui = SwaggerUIBundle({
  url: document.documentElement.dataset.document,
  dom_id: "#docs",
  deepLinking: true,
  layout: "BaseLayout",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
  tryItOutEnabled: false,
});
