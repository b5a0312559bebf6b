package io.minimind.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Response;

/** The web page, whose files are in this jar. It may load nothing from elsewhere. */
final class Page {
  /** No script, style or connection but this server's own, and no frame around it. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
          + "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
          + "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

  private final Map<String, File> files = new HashMap<>();

  private record File(String type, byte[] bytes) {}

  Page() {
    File page = add("index.html", "text/html; charset=utf-8");
    files.put("/", page);
    add("chat.css", "text/css; charset=utf-8");
    add("icon.svg", "image/svg+xml");
    for (String script : new String[] {"app", "client", "markdown", "store", "words"}) {
      add(script + ".js", "text/javascript; charset=utf-8");
    }
  }

  private File add(String name, String type) {
    try (InputStream in = Page.class.getResourceAsStream("page/" + name)) {
      if (in == null) {
        throw new IllegalStateException("The jar lacks page/" + name + ".");
      }
      File file = new File(type, in.readAllBytes());
      files.put("/" + name, file);
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether there is such a file, which then is the answer. */
  boolean answer(Exchange exchange, String path, Response response) {
    File file = files.get(path);
    if (file == null) {
      return false;
    }
    response.getHeaders().put("Content-Security-Policy", POLICY);
    response.getHeaders().put("X-Content-Type-Options", "nosniff");
    response.getHeaders().put("Referrer-Policy", "no-referrer");
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-cache");
    exchange.answer(200, file.type(), file.bytes());
    return true;
  }
}
