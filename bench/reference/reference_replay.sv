// The beats of a vector, once from the stream and then again from a memory for each further row tile,
// with where in the matrix they belong. One register stage, moved by `enable_i`; a cycle in which the
// stream has no beat that is needed gives an output that is not valid. `tile_o` is ahead of that stage, for
// a memory that has a register of its own.

module reference_replay #(
  parameter int unsigned Width = 49,
  parameter int unsigned RowTiles = 4,
  parameter int unsigned ColumnTiles = 16,
  localparam int unsigned Tiles = RowTiles * ColumnTiles
) (
  input  logic                        ap_clk,
  input  logic                        ap_rst_n,
  input  logic [Width-1:0]            s_axis_tdata,
  input  logic                        s_axis_tvalid,
  output logic                        s_axis_tready,
  input  logic                        enable_i,
  output logic                        valid_o,
  output logic [Width-1:0]            beat_o,
  output logic [$clog2(Tiles)-1:0]    tile_o,
  output logic [$clog2(RowTiles)-1:0] row_tile_o,
  output logic                        first_o,
  output logic                        last_o
);

  logic [$clog2(Tiles)-1:0]       tile_q;
  logic [$clog2(RowTiles)-1:0]    row_tile_q;
  logic [$clog2(ColumnTiles)-1:0] column_tile_q;

  assign tile_o = tile_q;

  logic reads, step, last_column;
  assign reads = row_tile_q == '0;
  assign step = enable_i && (!reads || s_axis_tvalid);
  assign last_column = column_tile_q == ColumnTiles - 1;
  assign s_axis_tready = enable_i && reads;

  logic [Width-1:0] replayed;

  ram #(
    .Width(Width),
    .Depth(ColumnTiles)
  ) u_vector (
    .clk_i          (ap_clk),
    .write_i        (step && reads),
    .write_address_i(column_tile_q),
    .write_data_i   (s_axis_tdata),
    .read_address_i (column_tile_q),
    .read_data_o    (replayed)
  );

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      tile_q <= '0;
      row_tile_q <= '0;
      column_tile_q <= '0;
      valid_o <= 1'b0;
    end else begin
      if (enable_i) begin
        valid_o <= step;
      end
      if (step) begin
        tile_q <= tile_q == Tiles - 1 ? '0 : tile_q + 1'b1;
        column_tile_q <= last_column ? '0 : column_tile_q + 1'b1;
        if (last_column) begin
          row_tile_q <= row_tile_q == RowTiles - 1 ? '0 : row_tile_q + 1'b1;
        end
      end
    end
  end

  always_ff @(posedge ap_clk) begin
    if (enable_i) begin
      beat_o <= reads ? s_axis_tdata : replayed;
      row_tile_o <= row_tile_q;
      first_o <= column_tile_q == '0;
      last_o <= last_column;
    end
  end

endmodule
