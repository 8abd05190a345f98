// A device that passes beats on, and misbehaves as the beat that it holds says.
module faulty (
    input  logic       ap_clk,
    input  logic       ap_rst_n,
    input  logic [7:0] s_axis_tdata,
    input  logic       s_axis_tvalid,
    output logic       s_axis_tready,
    output logic [7:0] m_axis_tdata,
    output logic       m_axis_tvalid,
    input  logic       m_axis_tready,
    output logic       m_axis_tlast
);

  localparam logic [7:0] DropValid = 8'd1;
  localparam logic [7:0] ChangeData = 8'd2;
  localparam logic [7:0] Swallow = 8'd3;
  localparam logic [7:0] Repeat = 8'd4;
  localparam logic [7:0] Stop = 8'd5;
  localparam logic [7:0] WrongLast = 8'd6;

  logic stopped;
  logic repeated;
  logic repeating;
  logic [1:0] position;

  assign repeating = m_axis_tdata == Repeat && !repeated;
  assign s_axis_tready = !stopped && (!m_axis_tvalid || (m_axis_tready && !repeating));
  assign m_axis_tlast = (position == 2'd3) ^ (m_axis_tdata == WrongLast);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      m_axis_tvalid <= 1'b0;
      stopped <= 1'b0;
      repeated <= 1'b0;
      position <= 2'd0;
    end else begin
      if (m_axis_tvalid && m_axis_tready) position <= position + 2'd1;
      if (s_axis_tready) begin
        m_axis_tvalid <= s_axis_tvalid && s_axis_tdata != Swallow;
        m_axis_tdata  <= s_axis_tdata;
        repeated <= 1'b0;
        stopped <= s_axis_tvalid && s_axis_tdata == Stop;
      end else if (m_axis_tvalid && m_axis_tready) begin
        m_axis_tvalid <= repeating;
        repeated <= 1'b1;
      end else if (m_axis_tvalid && m_axis_tdata == DropValid) begin
        m_axis_tvalid <= 1'b0;
      end else if (m_axis_tvalid && m_axis_tdata[6:0] == ChangeData[6:0]) begin
        m_axis_tdata <= m_axis_tdata ^ 8'h80;
      end
    end
  end

endmodule
