package io.minimind.server;

import io.minimind.infer.Generation;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.ToIntFunction;

/** What Prometheus is told. */
final class ServerMetrics {
  static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final Counter requests =
      Counter.builder()
          .name("minimind_requests_total")
          .help("Requests by path and status.")
          .labelNames("path", "status")
          .register(registry);
  private final Counter prompt = tokens("prompt", "Tokens of prompts.");
  private final Counter cached = tokens("prompt_cached", "Tokens of prompts that were kept.");
  private final Counter completion = tokens("completion", "Tokens that were written.");
  private final Counter cancelled =
      Counter.builder()
          .name("minimind_cancelled_total")
          .help("Requests whose client went away.")
          .labelNames("model")
          .register(registry);
  private final Histogram firstToken =
      Histogram.builder()
          .name("minimind_time_to_first_token_seconds")
          .help("From the start of an answer, its wait included, to its first text.")
          .classicUpperBounds(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
          .classicOnly()
          .labelNames("model")
          .register(registry);
  private final Histogram rate =
      Histogram.builder()
          .name("minimind_tokens_per_second")
          .help("Tokens a second of an answer after its first token.")
          .classicUpperBounds(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
          .classicOnly()
          .labelNames("model")
          .register(registry);

  ServerMetrics(Models models) {
    gauge(models, "minimind_answers_active", "Answers that are computed.", ServedModel::active);
    gauge(models, "minimind_answers_queued", "Answers that wait.", ServedModel::queued);
  }

  private Counter tokens(String kind, String help) {
    return Counter.builder()
        .name("minimind_" + kind + "_tokens_total")
        .help(help)
        .labelNames("model")
        .register(registry);
  }

  private void gauge(Models models, String name, String help, ToIntFunction<ServedModel> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames("model")
        .callback(
            callback -> models.all().forEach(m -> callback.call(value.applyAsInt(m), m.name())))
        .register(registry);
  }

  /**
   * @param path one of those that are known, or another word, so that strangers cannot make many
   */
  void request(String path, int status) {
    requests.labelValues(path, String.valueOf(status)).inc();
  }

  void cancelled(ServedModel model) {
    cancelled.labelValues(model.name()).inc();
  }

  void firstToken(ServedModel model, long nanos) {
    firstToken.labelValues(model.name()).observe(nanos / 1e9);
  }

  void answered(ServedModel model, Generation answer) {
    int tokens = answer.tokenIds().length;
    prompt.labelValues(model.name()).inc(answer.promptTokens());
    cached.labelValues(model.name()).inc(answer.reusedTokens());
    completion.labelValues(model.name()).inc(tokens);
    double seconds = answer.decodeTime().toNanos() / 1e9;
    if (tokens > 1 && seconds > 0) {
      rate.labelValues(model.name()).observe((tokens - 1) / seconds);
    }
  }

  byte[] text() {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try {
      PrometheusTextFormatWriter.create().write(text, registry.scrape());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toByteArray();
  }
}
