package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** A request that is being answered: once, as a whole or as a stream of events. */
final class Exchange {
  private final Request request;
  private final Response response;
  private final Callback callback;
  private final ErrorForm errors;
  private final AtomicBoolean answered = new AtomicBoolean();
  private final List<Runnable> whenGone = new ArrayList<>(); // guarded by this
  private boolean gone; // guarded by this

  Exchange(Request request, Response response, Callback callback, ErrorForm errors) {
    this.request = request;
    this.response = response;
    this.callback = callback;
    this.errors = errors;
  }

  Request request() {
    return request;
  }

  /** The part of the path behind a prefix. */
  String pathBehind(String prefix) {
    return Request.getPathInContext(request).substring(prefix.length());
  }

  void answer(JsonNode body) {
    answer(200, "application/json", Json.write(body));
  }

  void answer(int status, String type, byte[] body) {
    if (!answered.getAndSet(true)) {
      response.setStatus(status);
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
      response.write(true, ByteBuffer.wrap(body), callback);
    }
  }

  void fail(ApiError error) {
    error
        .retryAfter()
        .ifPresent(
            seconds -> response.getHeaders().put(HttpHeader.RETRY_AFTER, String.valueOf(seconds)));
    if (error.status() == 401) {
      response.getHeaders().put(HttpHeader.WWW_AUTHENTICATE, "Bearer");
    }
    answer(error.status(), "application/json", Json.write(errors.body(error)));
  }

  ErrorForm errors() {
    return errors;
  }

  /** Begins an answer that comes bit by bit. */
  EventSink stream(String type) {
    answered.set(true);
    response.setStatus(200);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    response.getHeaders().put("X-Accel-Buffering", "no"); // or proxies would hold it back
    return new EventSink(response, callback);
  }

  /** Runs something when the client goes away, at once if it has already. */
  void whenGone(Runnable action) {
    synchronized (this) {
      if (!gone) {
        whenGone.add(action);
        return;
      }
    }
    action.run();
  }

  /** The client has gone away. */
  void gone() {
    List<Runnable> actions;
    synchronized (this) {
      gone = true;
      actions = List.copyOf(whenGone);
      whenGone.clear();
    }
    actions.forEach(Runnable::run);
  }
}
