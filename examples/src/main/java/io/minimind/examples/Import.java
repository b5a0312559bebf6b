package io.minimind.examples;

import io.minimind.interchange.ModelImport;
import io.minimind.model.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes a model folder of a model of another project. */
@Command(
    name = "import",
    description = {
      "Makes a model folder of a model of another project: a folder of transformers (Llama,"
          + " Mistral, Mixtral, Qwen2, Qwen3, their mixtures, SmolLM3, Phi-3, MiniMind), MiniMind's"
          + " .pth, a GGUF file, or an adapter of PEFT with its base.",
      "What cannot be computed exactly is refused, with the field or tensor for which it cannot."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class Import implements Callable<Integer> {

  @Option(
      names = "--from",
      paramLabel = "PATH",
      required = true,
      description = "The model: a folder or a file.")
  private Path from;

  @Option(
      names = "--to",
      paramLabel = "DIR",
      required = true,
      description = "Folder to write; made if it is missing.")
  private Path to;

  @Option(
      names = "--base",
      paramLabel = "PATH",
      description = "The model to which --from belongs, where that is an adapter.")
  private Path base;

  @Option(
      names = "--adapter",
      paramLabel = "PATH",
      description = "An adapter to merge: a folder of PEFT, or a .pth of MiniMind's.")
  private Path adapter;

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      description = "The folder of the tokenizer, where none lies beside the model.")
  private Path tokenizer;

  @Option(
      names = "--set",
      paramLabel = "FIELD=VALUE",
      description = {
        "What the model does not say of itself, by the name that config.json has for it; may be"
            + " repeated. For example --set num_attention_heads=8."
      })
  private Map<String, String> settings = new LinkedHashMap<>();

  @Option(
      names = "--context",
      paramLabel = "N",
      description = "A context shorter than the model's, in tokens, which saves memory.")
  private Integer context;

  @Option(
      names = "--quantize",
      paramLabel = "PRECISION",
      description =
          "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}, which can be trained further.")
  private Precision precision = Precision.FLOAT32;

  public static void main(String[] args) {
    MiniMind.run(new Import(), args);
  }

  @Override
  public Integer call() throws IOException {
    ModelImport model = ModelImport.from(from).precision(precision);
    if (base != null) {
      model.base(base);
    }
    if (adapter != null) {
      model.adapter(adapter);
    }
    if (tokenizer != null) {
      model.tokenizer(tokenizer);
    }
    if (context != null) {
      model.contextLength(context);
    }
    settings.forEach(model::set);
    ProgressLine progress = ProgressLine.onStandardError();
    model.progress((done, total) -> progress.show("Importing " + ProgressBar.of(done, total)));
    ModelImport.Result imported = model.to(to);
    progress.clear();
    imported.notes().forEach(System.out::println);
    System.out.printf(
        Locale.ROOT,
        "%s: %s, %,d parameters, %,d tokens of context%n",
        to,
        precision,
        imported.config().parameterCount(),
        imported.config().maxLength());
    return 0;
  }
}
