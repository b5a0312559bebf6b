package io.minimind.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Lets requests in, reads their bodies, and finds the endpoint that answers. */
final class Gateway extends Handler.Abstract.NonBlocking {
  private static final String MODEL_PATH = "/v1/models/";

  private final Access access;
  private final Models models;
  private final ServerMetrics metrics;
  private final Executor threads;
  private final ClientWatch clients;
  private final SlowClients slow;
  private final BodyReader bodies;
  private final Page page = new Page();
  private final Map<String, Route> routes = new LinkedHashMap<>();
  private volatile boolean closing;

  /**
   * @param open whether it needs no key
   */
  private record Route(HttpMethod method, boolean open, Endpoint endpoint) {}

  Gateway(
      Access access,
      Models models,
      ServerMetrics metrics,
      Executor threads,
      ClientWatch clients,
      SlowClients slow,
      BodyReader bodies) {
    this.access = access;
    this.models = models;
    this.metrics = metrics;
    this.threads = threads;
    this.clients = clients;
    this.slow = slow;
    this.bodies = bodies;
    Answering.Server server =
        new Answering.Server() {
          @Override
          public ServerMetrics metrics() {
            return metrics;
          }

          @Override
          public Executor threads() {
            return threads;
          }
        };
    Embeddings embeddings = new Embeddings(models, server);
    Ollama ollama = new Ollama(models, server);
    post("/v1/chat/completions", new OpenAiChat(models, server));
    post("/v1/completions", new OpenAiCompletions(models, server));
    post("/v1/embeddings", embeddings::openAi);
    get("/v1/models", false, (exchange, body) -> exchange.answer(list()));
    post("/v1/messages", new Anthropic(models, server));
    post("/api/chat", ollama::chat);
    post("/api/generate", ollama::generate);
    post("/api/embed", embeddings::ollama);
    post("/api/show", ollama::show);
    get("/api/tags", false, ollama::tags);
    get("/api/ps", false, ollama::tags);
    get("/api/version", false, ollama::version);
    get("/health", true, (exchange, body) -> exchange.answer(Json.object().put("status", "ok")));
    get("/ready", true, (exchange, body) -> ready(exchange));
    get(
        "/metrics",
        false,
        (exchange, body) -> exchange.answer(200, ServerMetrics.CONTENT_TYPE, metrics.text()));
  }

  private void get(String path, boolean open, Endpoint endpoint) {
    routes.put(path, new Route(HttpMethod.GET, open, endpoint));
  }

  private void post(String path, Endpoint endpoint) {
    routes.put(path, new Route(HttpMethod.POST, false, endpoint));
  }

  /** From now on the server is not ready. */
  void close() {
    closing = true;
  }

  private void ready(Exchange exchange) {
    if (closing) {
      throw ApiError.closing();
    }
    exchange.answer(Json.object().put("status", "ready"));
  }

  private ObjectNode list() {
    ObjectNode answer = Json.object().put("object", "list");
    ArrayNode data = answer.putArray("data");
    models.all().forEach(model -> data.add(describe(model)));
    return answer;
  }

  private static ObjectNode describe(ServedModel model) {
    ObjectNode node = Json.object().put("id", model.name()).put("object", "model");
    node.put("created", model.created().getEpochSecond()).put("owned_by", "minimind");
    node.put("context_length", model.model().contextLength());
    return node.put("can_chat", model.model().canChat());
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    String path = Request.getPathInContext(request);
    Connection connection = request.getConnectionMetaData().getConnection();
    slow.began(connection);
    Exchange exchange = new Exchange(request, response, callback, errors(path));
    Request.addCompletionListener(
        request,
        failure -> {
          slow.ended(connection);
          exchange.gone();
          metrics.request(routes.containsKey(path) ? path : "other", response.getStatus());
        });
    try {
      answer(exchange, path, response);
    } catch (ApiError e) {
      exchange.fail(e);
    }
    return true;
  }

  private static ErrorForm errors(String path) {
    return path.startsWith("/api/")
        ? ErrorForm.OLLAMA
        : path.startsWith("/v1/messages") ? ErrorForm.ANTHROPIC : ErrorForm.OPENAI;
  }

  private void answer(Exchange exchange, String path, Response response) {
    Request request = exchange.request();
    HttpFields headers = request.getHeaders();
    Optional<String> origin = access.checkOrigin(headers);
    origin.ifPresent(other -> allow(other, response));
    String method = request.getMethod();
    if (origin.isPresent() && method.equals(HttpMethod.OPTIONS.asString())) {
      response.getHeaders().put("Access-Control-Allow-Methods", "GET, POST");
      String asked = headers.get("Access-Control-Request-Headers");
      response
          .getHeaders()
          .put("Access-Control-Allow-Headers", asked == null ? "content-type" : asked);
      response.getHeaders().put("Access-Control-Max-Age", "600");
      exchange.answer(204, "text/plain", new byte[0]);
      return;
    }
    Route route = routes.get(path);
    if (route == null && path.startsWith(MODEL_PATH)) {
      route = new Route(HttpMethod.GET, false, this::model);
    }
    if (route == null) {
      if (method.equals("GET") && page.answer(exchange, path, response)) {
        return;
      }
      access.checkKey(headers);
      throw ApiError.unknownPath(path);
    }
    if (!route.open()) {
      access.checkKey(headers);
    }
    boolean head = method.equals("HEAD") && route.method() == HttpMethod.GET;
    if (!route.method().is(method) && !head) {
      response.getHeaders().put(HttpHeader.ALLOW, route.method().asString());
      throw ApiError.wrongMethod(method, path, route.method().asString());
    }
    if (route.method() == HttpMethod.GET) {
      route.endpoint().answer(exchange, new Fields(Json.object()));
    } else {
      Endpoint endpoint = route.endpoint();
      bodies.read(exchange, body -> threads.execute(() -> run(exchange, endpoint, body)));
    }
  }

  private void model(Exchange exchange, Fields body) {
    exchange.answer(describe(models.find(Optional.of(exchange.pathBehind(MODEL_PATH)))));
  }

  private static void allow(String origin, Response response) {
    response.getHeaders().put("Access-Control-Allow-Origin", origin);
    response.getHeaders().put(HttpHeader.VARY, "Origin");
  }

  private void run(Exchange exchange, Endpoint endpoint, byte[] body) {
    try {
      Fields fields = new Fields(Json.read(body));
      clients.watch(exchange);
      endpoint.answer(exchange, fields);
    } catch (ApiError e) {
      exchange.fail(e);
    } catch (IllegalArgumentException e) {
      exchange.fail(ApiError.invalid(e.getMessage()));
    } catch (RuntimeException | Error e) {
      System.getLogger("io.minimind.server").log(System.Logger.Level.ERROR, "A request failed", e);
      exchange.fail(ApiError.failed("The server failed; its log says why."));
    }
  }
}
