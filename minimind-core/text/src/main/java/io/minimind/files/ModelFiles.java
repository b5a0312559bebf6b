package io.minimind.files;

/** The names of the files in a model folder, for those that write it and those that read it. */
public final class ModelFiles {

  /** The decoder, an ONNX graph with the names of {@link DecoderNames}. */
  public static final String DECODER = "model.onnx";

  /** The weights, to which the decoder refers. */
  public static final String WEIGHTS = "model.safetensors";

  /** The architecture. */
  public static final String CONFIG = "config.json";

  /** How a text begins and ends, and how it is sampled. */
  public static final String GENERATION_CONFIG = "generation_config.json";

  /** The tokenizer in Hugging Face's format. */
  public static final String TOKENIZER = "tokenizer.json";

  /** The tokenizer in SentencePiece's format. */
  public static final String SENTENCE_PIECE = "tokenizer.model";

  public static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  public static final String CHAT_TEMPLATE = "chat_template.jinja";

  private ModelFiles() {}
}
